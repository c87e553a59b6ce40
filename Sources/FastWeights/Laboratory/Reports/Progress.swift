import Synchronization

/// Shows how far several concurrent jobs are, on a terminal or as lines in a log.
///
/// The display is a model without a clock or a file of its own: text goes to `write`, one call for each redraw or line,
/// and the time comes from `now` in seconds. All methods may be called from any thread; `write` and `now` are called with
/// the display locked and must not call it back.
///
///     let display = ProgressDisplay(mode: .bar(width: 80), totalJobs: 2, write: { … }, now: { … })
///     let job = display.start("LSTM R=50 seed 1")
///     display.update(job, fraction: 0.4, status: "loss 0.1234  val 12.3 %")
///     display.finish(job, status: "test error 1.85 %")
///     display.close()
final class ProgressDisplay: Sendable {
    /// What the output is for.
    enum Mode: Sendable, Equatable {
        /// Rows redrawn in place: one for each running job and one for the whole. `width` is that of the terminal in
        /// columns; rows are cut to it, since a wrapped row could not be redrawn.
        case bar(width: Int)
        /// A line when a job starts and ends, and for each job at most one in `intervalSeconds` between, broken between
        /// words where it is wider than `width`.
        case lines(intervalSeconds: Double, width: Int = .max)
        /// Nothing is written.
        case silent
    }

    /// How a job ended.
    enum Outcome: Sendable {
        case done, failed
        /// Stopped before its end: the job is not among those that are done.
        case interrupted
    }

    /// A started job.
    struct Job: Sendable, Hashable {
        fileprivate let index: Int
    }

    private struct Entry {
        let name: String
        let work: Double
        let started: Double
        var fraction = 0.0
        var status = ""
        var lastLine: Double
        var isRunning = true
        var isDone = false
    }

    private struct State {
        var entries: [Entry] = []
        var drawnRows = 0
        var lastDraw = -Double.infinity
        var isClosed = false
    }

    /// At most 12.5 redraws a second: smooth to the eye, nothing to the trainer.
    static let redrawInterval = 0.08
    /// Rows of running jobs on display at once, so that the block stays within the terminal.
    static let visibleJobs = 12

    private let mode: Mode
    private let totalJobs: Int
    private let totalWork: Double
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> Double
    private let began: Double
    private let state = Mutex(State())

    /// A display of `totalJobs` jobs.
    ///
    /// - Parameters:
    ///   - mode: what the output is for.
    ///   - totalJobs: how many jobs there will be.
    ///   - totalWork: the sum of the jobs' `work`, from which the remaining time is estimated; without it every job
    ///     counts as 1.
    ///   - write: takes each piece of text, under the display's lock.
    ///   - now: the time in seconds.
    init(
        mode: Mode, totalJobs: Int, totalWork: Double? = nil, write: @escaping @Sendable (String) -> Void,
        now: @escaping @Sendable () -> Double
    ) {
        self.mode = mode
        self.totalJobs = totalJobs
        self.totalWork = totalWork ?? Double(totalJobs)
        self.write = write
        self.now = now
        began = now()
    }

    /// Adds a running job. `work` is its share of `totalWork`.
    func start(_ name: String, work: Double = 1) -> Job {
        state.withLock { state in
            let time = now()
            state.entries.append(
                Entry(name: TextTable.singleLine(name), work: work, started: time, lastLine: time))
            switch mode {
            case .bar: redraw(&state, time)
            case .lines: line(state, time, state.entries[state.entries.count - 1].name + "  started")
            case .silent: break
            }
            return Job(index: state.entries.count - 1)
        }
    }

    /// Sets how far a job is: `fraction` is brought into 0...1, `status` is one short line.
    func update(_ job: Job, fraction: Double, status: String) {
        state.withLock { state in
            guard state.entries[job.index].isRunning else { return }
            state.entries[job.index].fraction = fraction.isNaN ? 0 : min(1, max(0, fraction))
            state.entries[job.index].status = TextTable.singleLine(status)
            let time = now()
            switch mode {
            case .bar: redraw(&state, time)
            case .lines(let interval, _):
                guard time - state.entries[job.index].lastLine >= interval else { return }
                state.entries[job.index].lastLine = time
                let entry = state.entries[job.index]
                let parts = [entry.name, ProgressDisplay.percent(entry.fraction), entry.status, overall(state, time)]
                line(state, time, parts.filter { !$0.isEmpty }.joined(separator: "  "))
            case .silent: break
            }
        }
    }

    /// Ends a job; one permanent line says how.
    func finish(_ job: Job, status: String, outcome: Outcome = .done) {
        state.withLock { state in
            guard state.entries[job.index].isRunning else { return }
            let time = now()
            state.entries[job.index].isRunning = false
            if outcome != .interrupted {
                state.entries[job.index].fraction = 1
                state.entries[job.index].isDone = true
            }
            let entry = state.entries[job.index]
            let took = FixedPoint.duration(time - entry.started)
            let text = [entry.name, TextTable.singleLine(status), "(\(took))"].filter { !$0.isEmpty }
                .joined(separator: "  ")
            switch mode {
            case .bar(let width):
                let mark = [Outcome.done: "✓", .failed: "✗", .interrupted: "–"][outcome]!
                redraw(&state, time, permanent: TextTable.truncated("\(mark) \(text)", to: width - 1))
            case .lines:
                line(state, time, text + (outcome == .failed ? "  FAILED" : "") + "  " + overall(state, time))
            case .silent: break
            }
        }
    }

    /// Writes a line that stays, above the rows in bar mode.
    func note(_ text: String) {
        state.withLock { state in
            let time = now()
            switch mode {
            case .bar(let width):
                redraw(&state, time, permanent: TextTable.truncated(TextTable.singleLine(text), to: width - 1))
            case .lines: line(state, time, TextTable.singleLine(text))
            case .silent: break
            }
        }
    }

    /// Removes the rows. Later calls write nothing.
    func close() {
        state.withLock { state in
            if case .bar = mode, state.drawnRows > 0 { write("\u{1B}[\(state.drawnRows)A\u{1B}[0J") }
            state.drawnRows = 0
            state.isClosed = true
        }
    }

    // MARK: - Lines

    private func line(_ state: State, _ time: Double, _ text: String) {
        guard !state.isClosed, case .lines(_, let width) = mode else { return }
        let lines = LineBreaks.lines("[\(FixedPoint.duration(time - began))] \(text)", width: width - 2)
        write(lines.joined(separator: "\n  ") + "\n")
    }

    /// "3/18 done, 12 min 4 s elapsed, about 50 min 0 s left".
    private func overall(_ state: State, _ time: Double) -> String {
        let finished = state.entries.count(where: \.isDone)
        let elapsed = time - began
        var text = "\(finished)/\(totalJobs) done, \(FixedPoint.duration(elapsed)) elapsed"
        let fraction = overallFraction(state)
        // An estimate from less than half a percent of the work would jump about.
        if fraction >= 0.005 && fraction < 1 {
            text += ", about \(FixedPoint.duration(elapsed * (1 - fraction) / fraction)) left"
        }
        return text
    }

    private func overallFraction(_ state: State) -> Double {
        guard totalWork > 0 else { return 0 }
        return min(1, state.entries.reduce(0) { $0 + $1.work * $1.fraction } / totalWork)
    }

    // MARK: - Bars

    /// Writes permanent text at once, the rows again if they are due or the permanent text has displaced them.
    ///
    /// The cursor always rests at the start of the line below the last row. Rows are overwritten and each cleared behind
    /// its end, rather than all cleared first, so that nothing flickers.
    private func redraw(_ state: inout State, _ time: Double, permanent: String? = nil) {
        guard case .bar(let width) = mode, !state.isClosed else { return }
        guard permanent != nil || time - state.lastDraw >= ProgressDisplay.redrawInterval else { return }
        let rows = self.rows(state, time, width: width)
        var text = state.drawnRows > 0 ? "\u{1B}[\(state.drawnRows)A" : ""
        for row in (permanent.map { [$0] } ?? []) + rows {
            text += "\(row)\u{1B}[K\n"
        }
        write(text + "\u{1B}[0J")
        state.drawnRows = rows.count
        state.lastDraw = time
    }

    private func rows(_ state: State, _ time: Double, width: Int) -> [String] {
        let running = state.entries.filter(\.isRunning)
        let shown = running.prefix(ProgressDisplay.visibleJobs)
        let hidden = running.count - shown.count
        let label = "all" + (hidden > 0 ? " (\(hidden) more)" : "")
        let longest = (shown.map(\.name) + [label]).map(TextTable.displayWidth).max() ?? 0
        let nameWidth = min(longest, max(8, width * 2 / 5))
        let barWidth = max(5, min(30, width / 5))
        func row(_ name: String, _ fraction: Double, _ rest: String) -> String {
            let name = TextTable.padded(TextTable.truncated(name, to: nameWidth), to: nameWidth)
            let bar = ProgressDisplay.bar(fraction, width: barWidth)
            let text = "\(name)  \(bar) \(TextTable.padded(ProgressDisplay.percent(fraction), to: 5, .right))  \(rest)"
            return TextTable.truncated(text, to: width - 1)
        }
        return shown.map { row($0.name, $0.fraction, $0.status) }
            + [row(label, overallFraction(state), overall(state, time))]
    }

    /// Whole percents, rounded down so that 100 % means finished.
    static func percent(_ fraction: Double) -> String {
        "\(Int(fraction * 100)) %"
    }

    /// A heavy line over a light one, with half-column steps.
    static func bar(_ fraction: Double, width: Int) -> String {
        let halves = Int(min(1, max(0, fraction)) * Double(2 * width))
        let full = String(repeating: "━", count: halves / 2) + (halves % 2 == 1 ? "╸" : "")
        return full + String(repeating: "─", count: width - (halves + 1) / 2)
    }
}

extension ProgressDisplay {
    /// A display on standard error: a bar on a terminal, a line at intervals elsewhere.
    static func onStandardError(jobs: Int, work: Double) -> ProgressDisplay {
        ProgressDisplay(
            mode: Terminal.isInteractive(.error)
                ? .bar(width: Terminal.width(.error)) : .lines(intervalSeconds: 15, width: Terminal.tableWidth(.error)),
            totalJobs: jobs, totalWork: work, write: { Terminal.write($0, to: .error) },
            now: stopwatch())
    }
}

extension Trainer.Progress {
    /// How a training stands, in one short line.
    var status: String {
        let error = validationError.map { "  val \(FixedPoint.percent($0))" } ?? ""
        return "loss \(FixedPoint.text(trainingLoss, decimals: 4))\(error)"
    }
}
