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
    import WinSDK
#endif

/// Work in pieces that a `ThreadTeam` does again and again, prepared once so that doing it allocates nothing.
final class Job: @unchecked Sendable {
    fileprivate let body: (_ piece: Int, _ worker: Int) -> Void

    /// `body` does one piece; pieces must write to places of their own, whoever does them.
    init(_ body: @escaping (Int) -> Void) { self.body = { piece, _ in body(piece) } }

    /// The same with the number of the thread that does it, below the team's `threads`: for memory that pieces lend.
    init(byWorker body: @escaping (_ piece: Int, _ worker: Int) -> Void) { self.body = body }
}

/// Threads that stay awake from one parallel loop to the next.
///
/// Waking a sleeping thread costs more than a whole training step of a small network (85 µs against 60). So one
/// `concurrentPerform` surrounds all steps of a training: its first iteration leads and runs the steps, the others
/// help. The leader opens a job by writing its ticket, and everybody claims pieces from the ticket, the leader from the
/// front and the helpers from the back, which tends to give each thread the same pieces every time and so leaves their
/// memory in its cache. The leader never waits for a piece that nobody claimed: a team whose helpers come late, or
/// never, is slower and not wrong. Opening and closing a job costs about 0.3 µs.
///
/// Which thread does a piece is open; results that are added up must be added in a fixed order afterwards.
final class ThreadTeam: @unchecked Sendable {
    /// Generation of the job, its next piece from the front, and the end of the pieces left: 32, 16 and 16 bits.
    private let ticket = Atomic<UInt64>(0)
    private let done = Atomic<Int>(0)
    private var job: Unmanaged<Job>?
    private let helpers: Int
    /// The core on which the leader opened the last job; negative where the system does not say.
    private let leadersCore = Atomic<Int32>(-1)

    private static let dismissal = UInt64.max
    private static let mostPieces = 0xFFFF

    private init(helpers: Int) { self.helpers = helpers }

    /// A team of the thread that performs its jobs, which needs no `run`.
    static var alone: ThreadTeam { ThreadTeam(helpers: 0) }

    /// Most threads that work, the leader's included.
    var threads: Int { helpers + 1 }

    /// Runs `lead` with a team of at most `threads` threads, the leader's included, and dismisses it afterwards. All of
    /// them work with subnormals `flushed`. Traps unless there are 1 to 1024.
    static func run<Result, Failure: Error>(
        threads: Int, _ lead: (ThreadTeam) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if let problem = ParallelLoop.problem(threads: threads) { misuse(problem) }
        let team = ThreadTeam(helpers: threads - 1)
        func flushedLead() throws(Failure) -> Result {
            try Subnormals.flushed { () throws(Failure) in try lead(team) }
        }
        guard team.helpers > 0 else { return try flushedLead() }
        var result: Swift.Result<Result, Failure>?
        ParallelLoop.run(team.helpers + 1, threads: team.helpers + 1) { member in
            guard member == 0 else { return Subnormals.flushed { team.help(member) } }
            defer { team.ticket.store(dismissal, ordering: .releasing) }
            do throws(Failure) { result = .success(try flushedLead()) } catch { result = .failure(error) }
        }
        return try result!.get()
    }

    /// Does pieces 0..<count of `job` and returns when all are done. Only the leader may call it, and not from a job.
    func perform(_ job: Job, pieces count: Int) {
        if helpers == 0 || count < 2 {
            for piece in 0..<count { job.body(piece, 0) }
            return
        }
        require(count < Self.mostPieces, "a job has at most \(Self.mostPieces - 1) pieces, found \(count)")
        self.job = Unmanaged.passUnretained(job)
        leadersCore.store(ProcessorCore.current, ordering: .relaxed)
        done.store(0, ordering: .relaxed)
        let generation = (ticket.load(ordering: .relaxed) >> 32 &+ 1) & 0x7FFF_FFFF
        ticket.store(generation << 32 | UInt64(count), ordering: .releasing)
        while let piece = claim(fromFront: true) {
            job.body(piece, 0)
            done.wrappingAdd(1, ordering: .relaxed)
        }
        var patience = Patience()
        while done.load(ordering: .acquiring) < count { patience.wait(sleeps: false) }
    }

    /// What everybody but the leader does until the team is dismissed.
    private func help(_ worker: Int) {
        var patience = Patience()
        while ticket.load(ordering: .acquiring) != Self.dismissal {
            guard let piece = claim(fromFront: false) else {
                patience.wait(sleeps: true)
                if patience.looksAround { ProcessorCore.leave(leadersCore.load(ordering: .relaxed)) }
                continue
            }
            // The claimed piece holds the leader in `perform`, and so the job in place.
            job!._withUnsafeGuaranteedRef { $0.body(piece, worker) }
            done.wrappingAdd(1, ordering: .releasing)
            patience = Patience()
        }
    }

    /// Takes a piece of the open job, if one is left.
    private func claim(fromFront: Bool) -> Int? {
        var current = ticket.load(ordering: .acquiring)
        while true {
            let (next, end) = (current >> 16 & 0xFFFF, current & 0xFFFF)
            guard current != Self.dismissal, next < end else { return nil }
            let (taken, left) = ticket.weakCompareExchange(
                expected: current, desired: fromFront ? current &+ 1 << 16 : current &- 1, successOrdering: .acquiring,
                failureOrdering: .acquiring)
            if taken { return Int(fromFront ? next : end &- 1) }
            current = left
        }
    }
}

/// Waiting that looks again at once for about a tenth of a millisecond, then gives the core to whoever wants it, and
/// after some milliseconds sleeps.
///
/// On free cores the next job comes within the first two parts; a nap would miss it, and with it the whole step of a
/// small network. On busy ones a helper may share the leader's core, where looking for longer would halve the leader's
/// speed. So it looks now and then whether it is there, and goes elsewhere: the system's scheduler can leave it there for
/// seconds, as it sleeps too much to look like a burden.
private struct Patience {
    private var turns = 0

    /// True every few microseconds of looking, first after some of them.
    var looksAround: Bool { turns & 0x7FF == 0x400 }

    private static let spins = 50_000
    private static let yields = 10_000

    mutating func wait(sleeps: Bool) {
        turns &+= 1
        if turns < Self.spins { return }
        #if os(Windows)
            if !sleeps || turns < Self.spins + Self.yields { _ = SwitchToThread() } else { Sleep(1) }
        #elseif canImport(Darwin) || canImport(Glibc) || canImport(Musl) || canImport(Android)
            if !sleeps || turns < Self.spins + Self.yields { sched_yield() } else { usleep(50) }
        #endif
    }
}
