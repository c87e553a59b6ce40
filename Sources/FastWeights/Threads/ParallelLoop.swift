import Synchronization

#if canImport(Dispatch) && !hasFeature(Embedded)
    import Dispatch
#endif

/// Independent pieces of work on several cores: the only file that knows Dispatch.
enum ParallelLoop {
    /// Most threads that may be asked for.
    private static let threadLimit = 1024

    /// Why work cannot be done on so many threads; nil if it can.
    static func problem(threads: Int) -> String? {
        (1...threadLimit).contains(threads) ? nil : "work is done on 1 to \(threadLimit) threads, found \(threads)"
    }

    /// Calls `body` once for each of 0..<count, on at most `threads` threads, and returns when all are done.
    ///
    /// Which thread takes which piece is open, so pieces must write to places of their own, and results that are
    /// added up must be added after the loop in a fixed order. Serial with one thread or where Dispatch is missing. Traps
    /// unless there are 1 to 1024 threads.
    static func run(_ count: Int, threads: Int, _ body: (Int) -> Void) {
        if let problem = problem(threads: threads) { misuse(problem) }
        let workers = min(threads, count)
        #if canImport(Dispatch) && !hasFeature(Embedded)
            if workers > 1 {
                let next = Counter()
                withoutActuallyEscaping(body) { body in
                    nonisolated(unsafe) let body = body
                    DispatchQueue.concurrentPerform(iterations: workers) { _ in
                        while let piece = next.take(below: count) { body(piece) }
                    }
                }
                return
            }
        #endif
        for piece in 0..<count { body(piece) }
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        func take(below limit: Int) -> Int? {
            let piece = value.wrappingAdd(1, ordering: .relaxed).oldValue
            return piece < limit ? piece : nil
        }
    }
}

/// The results of pieces of work that run side by side: each sets its own, all are read when the loop is over.
final class Slots<Value>: @unchecked Sendable {
    private let values: UnsafeMutableBufferPointer<Value?>

    init(count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: nil)
    }

    deinit {
        values.deinitialize()
        values.deallocate()
    }

    func set(_ index: Int, _ value: Value) { values[index] = value }

    /// What was set, in the order of the pieces.
    var filled: [Value] { values.compactMap { $0 } }
}
