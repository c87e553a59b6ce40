import Testing

@testable import FastWeightsTool

@Suite struct ProcessorCheckTests {
    /// What CPUID says on a processor with everything, and on one of 2008.
    private static let complete = ProcessorFeatures(
        basic: 0xFFFF_FFFF, structured: 0xFFFF_FFFF, extended: 0xFFFF_FFFF, savedBytes: 832)
    private static let nehalem = ProcessorFeatures(
        basic: 0x0098_2201, structured: 0, extended: 0x0000_0001, savedBytes: 0)

    @Test func thisProcessorRunsTheseTests() {
        #expect(ProcessorCheck.problem == nil)
    }

    @Test func whatIsMissingIsNamed() {
        #expect(Self.complete.missing.isEmpty && ProcessorCheck.problem(Self.complete) == nil)
        #expect(Self.nehalem.missing == "AVX, AVX2, FMA, F16C, MOVBE, BMI1, BMI2, LZCNT")
        let problem = ProcessorCheck.problem(Self.nehalem) ?? ""
        #expect(problem.contains("this processor lacks AVX, AVX2, FMA") && problem.contains("make PORTABLE=1 build"))
        var noFusing = Self.complete
        noFusing.basic &= ~(1 << 12)
        #expect(noFusing.missing == "FMA")
    }

    @Test func anOperatingSystemWithoutAVXIsAProblem() {
        var bare = Self.complete
        bare.savedBytes = 576
        #expect(ProcessorCheck.problem(bare)?.contains("the operating system does not keep") == true)
        var off = Self.complete
        off.basic &= ~(1 << 27)
        #expect(ProcessorCheck.problem(off)?.contains("the operating system does not keep") == true)
    }
}
