#if arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
    import _Builtin_intrinsics.intel.cpuid
#endif

/// Tells whether this processor can run the module `FastWeights` as it was built.
///
/// With the trait `AVX2` or `AVX512` every function of `FastWeights` may contain instructions that an older processor answers
/// by ending the program, a check inside it among them. So the check stands in the program, which is built for the plain
/// instruction set, and is asked before the first call into `FastWeights`. Copy this file into a program of your own:
///
///     if let problem = ProcessorCheck.problem { … }
///
/// Only plain functions of text and integers are used here, no generic type of the standard library: the linker keeps
/// one copy of a specialised generic function, and it may be the one that was compiled for AVX2.
enum ProcessorCheck {
    /// The builds there are, each for the processors of the one before and fewer of them.
    enum Build: Int {
        case portable, avx2, avx512
    }

    /// How `FastWeights` was built.
    static var build: Build {
        #if AVX512
            .avx512
        #elseif FMA
            .avx2
        #else
            .portable
        #endif
    }

    /// Why this processor cannot run `FastWeights` as it was built, and what to do, in a sentence without a full stop;
    /// nil where it can. Without a trait, and on other architectures, always nil.
    static var problem: String? {
        #if FMA && arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
            problem(ProcessorFeatures.current, build)
        #else
            nil
        #endif
    }

    /// What would be faster here than `FastWeights` as it was built, in a sentence without a full stop; nil if nothing is.
    static var advice: String? {
        #if arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
            advice(ProcessorFeatures.current, build)
        #else
            nil
        #endif
    }

    static func problem(_ features: ProcessorFeatures, _ build: Build) -> String? {
        if build == .portable || features.runs(build) { return nil }
        let isWide = build == .avx512
        let missing = features.missing(build)
        let reason =
            missing.isEmpty
            ? "the operating system does not keep the registers of \(isWide ? "AVX-512" : "AVX")"
            : "this processor lacks " + missing
        let wanted = isWide ? "AVX-512 (x86-64-v4)" : "AVX2 and fused multiply-add (x86-64-v3)"
        let remedy =
            features.runs(.avx2)
            ? "build it with the trait AVX2: make AVX2=1 build, or swift build --traits AVX2"
            : "build it without the trait \(isWide ? "AVX512" : "AVX2"): make PORTABLE=1 build, or swift build without --traits"
        return "this program was built for processors with " + wanted + ", but " + reason + "; " + remedy
    }

    static func advice(_ features: ProcessorFeatures, _ build: Build) -> String? {
        let best = features.fastest
        if best.rawValue <= build.rawValue { return nil }
        return best == .avx512
            ? "with the trait AVX512: make AVX512=1 build, or swift build --traits AVX512"
            : "with the trait AVX2: make AVX2=1 build, or swift build --traits AVX2"
    }
}

/// What CPUID says of the processor, and of the instructions and the state that code for x86-64-v3 and v4 needs.
struct ProcessorFeatures {
    /// Leaf 0, register EBX: the first four letters of the vendor.
    var vendor: UInt32 = 0
    /// Leaf 1, register EAX: family and model.
    var signature: UInt32 = 0
    /// Leaf 1, register ECX.
    var basic: UInt32 = 0
    /// Leaf 7, register EBX.
    var structured: UInt32 = 0
    /// Leaf 0x8000_0001, register ECX.
    var extended: UInt32 = 0
    /// Leaf 0xD, register EBX: bytes of the state that the operating system has switched on.
    var savedBytes: UInt32 = 0
    /// Leaf 0xD, 1, register EBX: the same without gaps, 0 where there is no instruction that saves it so.
    var compactBytes: UInt32 = 0

    /// The names of all that is missing of what a build needs, separated by commas.
    func missing(_ build: ProcessorCheck.Build) -> String {
        var names = ""
        func need(_ word: UInt32, bit: UInt32, _ name: String) {
            if word & (1 << bit) == 0 { names += names.isEmpty ? name : ", " + name }
        }
        if build.rawValue >= ProcessorCheck.Build.avx2.rawValue {
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
        }
        if build == .avx512 {
            need(structured, bit: 16, "AVX512F")
            need(structured, bit: 30, "AVX512BW")
            need(structured, bit: 28, "AVX512CD")
            need(structured, bit: 17, "AVX512DQ")
            need(structured, bit: 31, "AVX512VL")
        }
        return names
    }

    /// Whether the operating system keeps the upper halves of the vector registers when it changes threads.
    ///
    /// XGETBV would say so, but cannot be called from Swift. The state that is switched on takes 576 bytes with SSE
    /// alone, and 832 with the upper halves behind it.
    var systemSavesVectors: Bool { basic & (1 << 27) != 0 && savedBytes >= 832 }

    /// Whether it keeps the registers of AVX-512 too: masks and longer vectors, 1600 bytes more. Other state may lie behind a
    /// gap in their place, so they must be there without gaps as well. macOS switches them on for a thread that uses them.
    var systemSavesWideVectors: Bool {
        #if os(macOS)
            true
        #else
            savedBytes >= 2432 && (compactBytes == 0 || compactBytes >= 2432)
        #endif
    }

    /// Whether a build can run.
    func runs(_ build: ProcessorCheck.Build) -> Bool {
        switch build {
        case .portable: true
        case .avx2: missing(.avx2).isEmpty && systemSavesVectors
        case .avx512: missing(.avx512).isEmpty && systemSavesVectors && systemSavesWideVectors
        }
    }

    /// The fastest of the builds that can run.
    var fastest: ProcessorCheck.Build {
        if runs(.avx512) && !hasHalfWideUnits { return .avx512 }
        return runs(.avx2) ? .avx2 : .portable
    }

    /// Whether an instruction of 512 bits keeps a unit of 256 bits busy for two cycles: AMD's Zen 4.
    /// `Sources/Install/best-build` has the same list, and says why; a test compares them.
    var hasHalfWideUnits: Bool {
        guard vendor == 0x6874_7541 && family == 25 else { return false }  // "Auth" of AuthenticAMD
        return (model >= 0x10 && model <= 0x1F) || (model >= 0x60 && model <= 0x7F) || (model >= 0xA0 && model <= 0xAF)
    }

    /// Both as Linux counts them.
    var family: UInt32 {
        let base = signature >> 8 & 0xF
        return base == 0xF ? base + (signature >> 20 & 0xFF) : base
    }
    var model: UInt32 { signature >> 4 & 0xF | signature >> 12 & 0xF0 }

    #if arch(x86_64) && canImport(_Builtin_intrinsics.intel.cpuid)
        static var current: ProcessorFeatures {
            var features = ProcessorFeatures()
            var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
            if __get_cpuid(0, &a, &b, &c, &d) != 0 { features.vendor = b }
            if __get_cpuid(1, &a, &b, &c, &d) != 0 { (features.signature, features.basic) = (a, c) }
            if __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 { features.structured = b }
            if __get_cpuid_count(0xD, 0, &a, &b, &c, &d) != 0 { features.savedBytes = b }
            // The sum counts where there is XSAVEC or XSAVES.
            if __get_cpuid_count(0xD, 1, &a, &b, &c, &d) != 0 && a & 0b1010 != 0 { features.compactBytes = b }
            if __get_cpuid(0x8000_0001, &a, &b, &c, &d) != 0 { features.extended = c }
            return features
        }
    #endif
}
