import Foundation
import Testing

@testable import FastWeightsTool

@Suite struct ProcessorCheckTests {
    /// What CPUID says on a processor with everything, on one with AVX2, and on one of 2008.
    private static let complete = ProcessorFeatures(
        vendor: 0x756E_6547, signature: 0x0008_06F8, basic: 0xFFFF_FFFF, structured: 0xFFFF_FFFF, extended: 0xFFFF_FFFF,
        savedBytes: 2696, compactBytes: 2440)
    private static let haswell = ProcessorFeatures(
        basic: 0xFFFF_FFFF, structured: 0x0000_07AB, extended: 0xFFFF_FFFF, savedBytes: 832)
    private static let nehalem = ProcessorFeatures(
        basic: 0x0098_2201, structured: 0, extended: 0x0000_0001, savedBytes: 0)

    @Test func thisProcessorRunsTheseTests() {
        #expect(ProcessorCheck.problem == nil)
    }

    @Test func whatIsMissingIsNamed() {
        for build in [ProcessorCheck.Build.portable, .avx2, .avx512] {
            #expect(Self.complete.missing(build).isEmpty && ProcessorCheck.problem(Self.complete, build) == nil)
        }
        #expect(Self.nehalem.missing(.avx2) == "AVX, AVX2, FMA, F16C, MOVBE, BMI1, BMI2, LZCNT")
        #expect(ProcessorCheck.problem(Self.nehalem, .portable) == nil)
        let problem = ProcessorCheck.problem(Self.nehalem, .avx2) ?? ""
        #expect(problem.contains("this processor lacks AVX, AVX2, FMA") && problem.contains("make PORTABLE=1 build"))
        var noFusing = Self.complete
        noFusing.basic &= ~(1 << 12)
        #expect(noFusing.missing(.avx2) == "FMA" && noFusing.missing(.avx512) == "FMA")
    }

    @Test func aProcessorWithoutAVX512IsToldWhatToBuild() {
        #expect(ProcessorCheck.problem(Self.haswell, .avx2) == nil)
        let problem = ProcessorCheck.problem(Self.haswell, .avx512) ?? ""
        #expect(
            problem.contains("AVX-512 (x86-64-v4), but this processor lacks AVX512F, AVX512BW, AVX512CD, AVX512DQ,"))
        #expect(problem.contains("make AVX2=1 build"))
        let older = ProcessorCheck.problem(Self.nehalem, .avx512) ?? ""
        #expect(older.contains("lacks AVX, AVX2") && older.contains("AVX512VL; build it without the trait AVX512"))
    }

    @Test func anOperatingSystemWithoutAVXIsAProblem() {
        var bare = Self.complete
        bare.savedBytes = 576
        #expect(ProcessorCheck.problem(bare, .avx2)?.contains("the operating system does not keep") == true)
        var off = Self.complete
        off.basic &= ~(1 << 27)
        #expect(ProcessorCheck.problem(off, .avx2)?.contains("the operating system does not keep") == true)
    }

    #if !os(macOS)
        /// Without the registers of AVX-512 only the protection keys lie behind their place, or nothing does.
        @Test(arguments: [(2696, 840), (832, 0)] as [(UInt32, UInt32)])
        func anOperatingSystemWithoutAVX512IsAProblem(_ bytes: UInt32, _ compact: UInt32) {
            var off = Self.complete
            (off.savedBytes, off.compactBytes) = (bytes, compact)
            #expect(ProcessorCheck.problem(off, .avx2) == nil && off.fastest == .avx2)
            let problem = ProcessorCheck.problem(off, .avx512) ?? ""
            #expect(problem.contains("does not keep the registers of AVX-512; build it with the trait AVX2"))
        }
    #endif

    @Test func aFasterBuildIsAdvised() {
        #expect(ProcessorCheck.advice(Self.complete, .avx512) == nil)
        #expect(ProcessorCheck.advice(Self.complete, .avx2)?.contains("the trait AVX512") == true)
        #expect(ProcessorCheck.advice(Self.haswell, .portable)?.contains("the trait AVX2") == true)
        #expect(ProcessorCheck.advice(Self.haswell, .avx2) == nil)
        #expect(ProcessorCheck.advice(Self.nehalem, .portable) == nil)
    }

    @Test func familyAndModelAreThoseOfLinux() {
        #expect(Self.complete.family == 6 && Self.complete.model == 143)
        let genoa = ProcessorFeatures(signature: 0x00A1_0F11)
        #expect(genoa.family == 25 && genoa.model == 17)
    }

    #if os(Linux)
        /// `Sources/Install/best-build`, by which the Makefile and the installed tool choose, and `info` agree.
        @Test func bestBuildIsTheSameInTheScript() throws {
            let folder = TemporaryFolder()
            let path = folder.path("cpuinfo")
            func script(_ vendor: String, _ family: UInt32, _ model: UInt32, _ flags: String) throws -> String {
                let text = """
                    processor\t: 0
                    vendor_id\t: \(vendor)
                    cpu family\t: \(family)
                    model\t\t: \(model)
                    model name\t: A processor
                    flags\t\t: fpu \(flags) lm

                    """
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/bin/sh")
                process.arguments = [
                    #filePath.replacing(
                        "Tests/FastWeightsTests/ProcessorCheckTests.swift", with: "Sources/Install/best-build")
                ]
                process.environment = ["FASTWEIGHTS_CPUINFO": path]
                let pipe = Pipe()
                process.standardOutput = pipe
                try process.run()
                process.waitUntilExit()
                let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
                return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let avx2 = "avx avx2 fma f16c movbe bmi1 bmi2 abm"
            let wide = avx2 + " avx512f avx512dq avx512cd avx512bw avx512vl"
            #expect(try script("GenuineIntel", 6, 143, wide) == "avx512")
            #expect(try script("GenuineIntel", 6, 143, wide.replacing(" avx512cd", with: "")) == "avx2")
            #expect(try script("GenuineIntel", 6, 60, avx2) == "avx2")
            #expect(try script("GenuineIntel", 6, 60, avx2.replacing(" fma", with: "")) == "portable")
            for family: UInt32 in [25, 26] {
                for model: UInt32 in [0, 1, 15, 16, 31, 32, 95, 96, 127, 128, 159, 160, 175, 176, 255] {
                    var features = Self.complete
                    features.vendor = 0x6874_7541
                    features.signature = (family - 15) << 20 | (model >> 4) << 16 | 0xF00 | (model & 15) << 4
                    #expect(features.family == family && features.model == model)
                    let expected = features.fastest == .avx512 ? "avx512" : "avx2"
                    #expect(try script("AuthenticAMD", family, model, wide) == expected, "\(family) \(model)")
                }
            }
        }
    #endif
}
