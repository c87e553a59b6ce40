import Synchronization

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

/// Ctrl-C and SIGTERM as a question that long work asks itself between steps.
///
/// The first signal sets ``requested``, so that a training can save what it has and end; the second ends the process at
/// once with status 130. Without ``install()`` a signal ends the process as usual.
enum Interruption {
    private static let signals = Atomic<Int>(0)

    /// Whether a signal has asked for the end of the process.
    static var requested: Bool {
        signals.load(ordering: .relaxed) > 0
    }

    /// From now on SIGINT and SIGTERM are counted. To be called by a command that looks at ``requested``.
    static func install() {
        // The handler must not be the first to touch the counter: initializing it would take a lock.
        _ = signals.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] { _ = signal(number, handle) }
    }

    /// Runs on the interrupted thread in the midst of anything, so it only counts or ends the process.
    private static let handle: @convention(c) (Int32) -> Void = { number in
        #if os(Windows)
            // Windows forgets the handler at each signal.
            _ = signal(number, handle)
        #endif
        if signals.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
    }
}
