#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#elseif os(Windows)
    import CRT
    import WinSDK
#endif

/// What the code runs on and was compiled for.
enum Machine {
    /// Logical processors that are switched on, at least 1.
    static var coreCount: Int {
        #if os(Windows)
            var info = SYSTEM_INFO()
            GetSystemInfo(&info)
            return max(1, Int(info.dwNumberOfProcessors))
        #else
            return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        #endif
    }

    static var operatingSystem: String {
        #if os(macOS)
            "macOS"
        #elseif os(Linux)
            "Linux"
        #elseif os(Windows)
            "Windows"
        #elseif os(Android)
            "Android"
        #else
            "another system"
        #endif
    }

    static var architecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "arm64"
        #else
            "\(Int.bitWidth)-bit"
        #endif
    }

    /// The processor as it calls itself, or "unknown".
    static var processor: String {
        #if os(Windows)
            getenv("PROCESSOR_IDENTIFIER").map { String(cString: $0) } ?? "unknown"
        #elseif canImport(Darwin)
            var bytes = [UInt8](repeating: 0, count: 256)
            var size = bytes.count
            guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return "unknown" }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #else
            let text = (try? Files.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
            return line.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "unknown"
        #endif
    }

    /// The instructions that the module was compiled for.
    static var instructionSet: String {
        #if AVX512
            "x86-64-v4 (AVX-512, FMA)"
        #elseif FMA
            "x86-64-v3 (AVX2, FMA)"
        #elseif arch(arm64)
            "arm64 (NEON)"
        #elseif arch(x86_64)
            "x86-64 (SSE2)"
        #else
            architecture
        #endif
    }

    /// The trait that the module was compiled with.
    static var trait: String? {
        #if AVX512
            "AVX512"
        #elseif FMA
            "AVX2"
        #else
            nil
        #endif
    }

    static var isOptimized: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }

    /// All of it in one line.
    static var summary: String {
        "\(processor), \(coreCount) cores, \(operatingSystem), \(instructionSet)"
    }

    /// Whether the kernels were compiled with fused multiply-add, which gives other last bits than code without it.
    static var hasFusedMultiplyAdd: Bool {
        #if FMA
            true
        #else
            false
        #endif
    }
}
