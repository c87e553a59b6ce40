// swift-tools-version: 6.2
import PackageDescription

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
        // this trait where the processor has AVX2 and FMA, the same sources as portable code without it.
        .trait(
            name: "AVX2", description: "x86-64-v3 code with fused multiply-add; the processor must have AVX2 and FMA.")
    ],
    targets: [
        .target(
            name: "FastWeights",
            swiftSettings: [
                .unsafeFlags(["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"], .when(traits: ["AVX2"])),
                .define("FMA", .when(traits: ["AVX2"])),
            ]
        ),
        // Named apart from the library: on a file system that ignores case, FastWeights and fastweights are one module.
        // It knows what the library was built for, but is itself built for every processor, so that it can say so there.
        .executableTarget(
            name: "FastWeightsTool", dependencies: ["FastWeights"],
            swiftSettings: [.define("FMA", .when(traits: ["AVX2"]))]),
        // Hostile files for the readers (make fuzz); in no product.
        .executableTarget(
            name: "FastWeightsFuzz", dependencies: ["FastWeights"], path: "Sources/Fuzz",
            linkerSettings: [
                // The functions of AllocationMeter, so that what a file makes a reader allocate can be measured.
                .unsafeFlags(
                    ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "free"].flatMap {
                        ["-Xlinker", "--defsym=\($0)=metered_\($0)"]
                    }, .when(platforms: [.linux]))
            ]),
        .testTarget(
            name: "FastWeightsTests", dependencies: ["FastWeights", "FastWeightsTool"],
            linkerSettings: [
                // The functions of AllocationTests, so that a step's allocations can be counted.
                .unsafeFlags(
                    ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"].flatMap {
                        ["-Xlinker", "--defsym=\($0)=counted_\($0)"]
                    }, .when(platforms: [.linux]))
            ]),
    ],
    swiftLanguageModes: [.v6]
)
