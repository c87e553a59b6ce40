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
#endif

/// Ends the program, and names the file it was reading, when that takes too much processor time or crashes.
///
/// Processor time, not that on the clock: the program may be stopped and continued.
enum Watchdog {
    /// Seconds of processor time a file may take.
    static let limit = 2

    #if canImport(Darwin)
        private static let virtualTimer = ITIMER_VIRTUAL
    #elseif canImport(Glibc)
        private static let virtualTimer = __itimer_which_t(ITIMER_VIRTUAL.rawValue)
    #endif

    /// What is being read, for the last words.
    private nonisolated(unsafe) static var place: (format: StaticString, seed: UInt64, index: Int) = ("", 0, 0)

    #if !canImport(Darwin) && !canImport(Glibc)
        private static let began = ContinuousClock.now
    #endif

    static func start(format: StaticString, seed: UInt64) {
        place = (format, seed, 0)
        #if canImport(Darwin) || canImport(Glibc)
            signal(SIGVTALRM) { _ in Watchdog.end("takes too long") }
            for crash in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
                signal(crash) { _ in Watchdog.end("crashes the reader") }
            }
        #endif
    }

    /// A new file begins, and with it its time.
    static func begin(_ index: Int) {
        place.index = index
        #if canImport(Darwin) || canImport(Glibc)
            var time = itimerval()
            time.it_value.tv_sec = limit
            setitimer(virtualTimer, &time, nil)
        #endif
    }

    /// Seconds of processor time since the program began; on the clock where that is not known.
    static var seconds: Double {
        #if canImport(Darwin) || canImport(Glibc)
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        #else
            return (ContinuousClock.now - began) / .seconds(1)
        #endif
    }

    private static func end(_ problem: String) -> Never {
        print(
            "file \(place.index) \(problem): --format \(place.format) --seed \(place.seed) --first \(place.index) --count 1"
        )
        exit(1)
    }
}
