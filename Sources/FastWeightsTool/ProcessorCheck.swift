#if arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
    import _Builtin_intrinsics.intel.cpuid
#endif

/// Tells whether this processor can run the module `FastWeights` as it was built.
///
/// With the trait `AVX2` every function of `FastWeights` may contain instructions that an older processor answers by
/// ending the program, a check inside it among them. So the check stands in the program, which is built for the plain
/// instruction set, and is asked before the first call into `FastWeights`. Copy this file into a program of your own:
///
///     if let problem = ProcessorCheck.problem { … }
///
/// Only plain functions of text and integers are used here, no generic type of the standard library: the linker keeps
/// one copy of a specialised generic function, and it may be the one that was compiled for AVX2.
enum ProcessorCheck {
    /// Why this processor cannot run `FastWeights` as it was built, and what to do, in a sentence without a full stop;
    /// nil where it can. Without the trait `AVX2`, and on other architectures, always nil.
    static var problem: String? {
        #if FMA && arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
            problem(ProcessorFeatures.current)
        #else
            nil
        #endif
    }

    static func problem(_ features: ProcessorFeatures) -> String? {
        let missing = features.missing
        if missing.isEmpty && features.systemSavesVectors { return nil }
        let reason =
            missing.isEmpty
            ? "the operating system does not keep the registers of AVX" : "this processor lacks " + missing
        return "this program was built for processors with AVX2 and fused multiply-add (x86-64-v3), but " + reason
            + "; build it without the trait AVX2: make PORTABLE=1 build, or swift build without --traits AVX2"
    }
}

/// What CPUID says of the instructions and the state that code for x86-64-v3 needs.
struct ProcessorFeatures {
    /// Leaf 1, register ECX.
    var basic: UInt32 = 0
    /// Leaf 7, register EBX.
    var structured: UInt32 = 0
    /// Leaf 0x8000_0001, register ECX.
    var extended: UInt32 = 0
    /// Leaf 0xD, register EBX: bytes of the state that the operating system has switched on.
    var savedBytes: UInt32 = 0

    /// The names of all that is missing of x86-64-v3, separated by commas.
    var missing: String {
        var names = ""
        func need(_ word: UInt32, bit: UInt32, _ name: String) {
            if word & (1 << bit) == 0 { names += names.isEmpty ? name : ", " + name }
        }
        need(basic, bit: 0, "SSE3")
        need(basic, bit: 9, "SSSE3")
        need(basic, bit: 19, "SSE4.1")
        need(basic, bit: 20, "SSE4.2")
        need(basic, bit: 23, "POPCNT")
        need(basic, bit: 13, "CMPXCHG16B")
        need(basic, bit: 28, "AVX")
        need(structured, bit: 5, "AVX2")
        need(basic, bit: 12, "FMA")
        need(basic, bit: 29, "F16C")
        need(basic, bit: 22, "MOVBE")
        need(structured, bit: 3, "BMI1")
        need(structured, bit: 8, "BMI2")
        need(extended, bit: 5, "LZCNT")
        return names
    }

    /// Whether the operating system keeps the upper halves of the vector registers when it changes threads.
    ///
    /// XGETBV would say so, but cannot be called from Swift. The state that is switched on takes 576 bytes with SSE
    /// alone, and 832 with the upper halves behind it.
    var systemSavesVectors: Bool { basic & (1 << 27) != 0 && savedBytes >= 832 }

    #if arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
        static var current: ProcessorFeatures {
            var features = ProcessorFeatures()
            var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
            if __get_cpuid(1, &a, &b, &c, &d) != 0 { features.basic = c }
            if __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 { features.structured = b }
            if __get_cpuid_count(0xD, 0, &a, &b, &c, &d) != 0 { features.savedBytes = b }
            if __get_cpuid(0x8000_0001, &a, &b, &c, &d) != 0 { features.extended = c }
            return features
        }
    #endif
}
