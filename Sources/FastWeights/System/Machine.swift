#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#elseif os(Windows)
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

    /// Whether the kernels were compiled with fused multiply-add, which gives other last bits than code without it.
    static var hasFusedMultiplyAdd: Bool {
        #if FMA
            true
        #else
            false
        #endif
    }
}
