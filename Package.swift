// swift-tools-version: 6.2
import PackageDescription

// The sanitizers bring a malloc of their own; make sanitize sets this, and then nothing else takes its place.
let sanitizes = Context.environment["FASTWEIGHTS_SANITIZE"] != nil

/// Linker flags by which `prefix`malloc and its kin take the place of the C library's.
func interposing(_ prefix: String, _ functions: [String]) -> [LinkerSetting] {
    let flags = functions.flatMap { ["-Xlinker", "--defsym=\($0)=\(prefix)\($0)"] }
    return sanitizes ? [] : [.unsafeFlags(flags, .when(platforms: [.linux]))]
}

/// What the sources know of the traits.
let instructions: [SwiftSetting] = [
    .define("FMA", .when(traits: ["AVX2", "AVX512"])), .define("AVX512", .when(traits: ["AVX512"])),
]

let package = Package(
    name: "FastWeights",
    // Atomics and locks of the standard library; Linux, Windows and Android need no mention.
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "FastWeights", targets: ["FastWeights"]),
        .executable(name: "fastweights", targets: ["FastWeightsTool"]),
    ],
    traits: [
        // Swift has no per-function target attribute, so the instruction set is chosen for the whole module:
        // one of these traits where the processor has it, the same sources as portable code without them. Of both the wider
        // one counts, since a package may be asked for one by one dependent and for the other by another.
        .trait(
            name: "AVX2", description: "x86-64-v3 code with fused multiply-add; the processor must have AVX2 and FMA."),
        .trait(
            name: "AVX512",
            description:
                "x86-64-v4 code with vectors of 512 bits; the processor must have AVX-512 F, BW, CD, DQ and VL."),
    ],
    targets: [
        .target(
            name: "FastWeights",
            swiftSettings: [
                .unsafeFlags(["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"], .when(traits: ["AVX2"])),
                // After those of AVX2: the last architecture counts.
                .unsafeFlags(
                    [
                        "-Xcc", "-march=x86-64-v4", "-Xcc", "-mprefer-vector-width=512", "-Xcc", "-fno-math-errno",
                    ], .when(traits: ["AVX512"])),
            ] + instructions
        ),
        // Named apart from the library: on a file system that ignores case, FastWeights and fastweights are one module.
        // It knows what the library was built for, but is itself built for every processor, so that it can say so there.
        .executableTarget(
            name: "FastWeightsTool", dependencies: ["FastWeights"], swiftSettings: instructions),
        // Hostile files for the readers (make fuzz); in no product.
        .executableTarget(
            name: "FastWeightsFuzz", dependencies: ["FastWeights"], path: "Sources/Fuzz",
            // The functions of AllocationMeter, so that what a file makes a reader allocate can be measured.
            linkerSettings: interposing(
                "metered_", ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "free"])),
        // One mistake after another, each of which must end with its sentence (MisuseTests); in no product.
        .executableTarget(name: "FastWeightsMisuse", dependencies: ["FastWeights"], path: "Sources/Misuse"),
        // Programs to begin from, run in Tests/embedding.sh; in no product.
        .executableTarget(name: "StreamLSTM", dependencies: ["FastWeights"], path: "Sources/Examples/StreamLSTM"),
        .executableTarget(name: "MapBatch", dependencies: ["FastWeights"], path: "Sources/Examples/MapBatch"),
        .executableTarget(name: "ClassifyCSV", dependencies: ["FastWeights"], path: "Sources/Examples/ClassifyCSV"),
        .executableTarget(
            name: "ResumeTraining", dependencies: ["FastWeights"], path: "Sources/Examples/ResumeTraining"),
        .executableTarget(name: "WriteText", dependencies: ["FastWeights"], path: "Sources/Examples/WriteText"),
        .executableTarget(name: "TrainingLoop", dependencies: ["FastWeights"], path: "Sources/Examples/TrainingLoop"),
        .executableTarget(name: "PlanPush", dependencies: ["FastWeights"], path: "Sources/Examples/PlanPush"),
        .testTarget(
            name: "FastWeightsTests", dependencies: ["FastWeights", "FastWeightsTool", "FastWeightsMisuse"],
            // Tests are type-checked for longer than they run: their own code is not optimized, whatever the library's is,
            // and a changed file is compiled without the others.
            swiftSettings: (sanitizes ? [.define("SANITIZED")] : []) + [
                .unsafeFlags(
                    ["-Onone", "-no-whole-module-optimization", "-enable-batch-mode", "-incremental"],
                    .when(configuration: .release))
            ],
            // The functions of AllocationTests, so that a step's allocations can be counted.
            linkerSettings: interposing(
                "counted_", ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"])),
    ],
    swiftLanguageModes: [.v6]
)
