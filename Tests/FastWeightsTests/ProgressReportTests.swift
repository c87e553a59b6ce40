import Dispatch
import Synchronization
import Testing

@testable import FastWeights

@Suite struct ProgressReportTests {
    /// A clock set by hand and everything written.
    final class Screen: Sendable {
        let time = Mutex(0.0)
        let written = Mutex<[String]>([])

        func display(_ mode: ProgressDisplay.Mode, jobs: Int, work: Double? = nil) -> ProgressDisplay {
            ProgressDisplay(
                mode: mode, totalJobs: jobs, totalWork: work,
                write: { text in self.written.withLock { $0.append(text) } },
                now: { self.time.withLock { $0 } })
        }

        func at(_ seconds: Double) { time.withLock { $0 = seconds } }
        var texts: [String] { written.withLock { $0 } }

        /// What a terminal shows after all output: lines, with the cursor's row.
        func shown() -> [String] {
            var lines: [String] = [""]
            var row = 0
            var text = Substring(texts.joined())
            while let first = text.unicodeScalars.first {
                if first == "\u{1B}" {
                    let end = text.firstIndex { $0.isLetter }!
                    let count = Int(text[text.index(text.startIndex, offsetBy: 2)..<end]) ?? 1
                    switch text[end] {
                    case "A": row -= count
                    case "J":
                        lines.removeSubrange((row + 1)...)
                        lines[row] = ""
                    default: break
                    }
                    text = text[text.index(after: end)...]
                } else {
                    let end = text.firstIndex { $0 == "\n" || $0 == "\u{1B}" } ?? text.endIndex
                    if end > text.startIndex { lines[row] = String(text[..<end]) }
                    text = text[end...]
                    if text.first == "\n" {
                        text.removeFirst()
                        row += 1
                        if row == lines.count { lines.append("") }
                    }
                }
            }
            return lines
        }
    }

    @Test func barsAreRedrawnInPlaceAndCleared() {
        let screen = Screen()
        let display = screen.display(.bar(width: 100), jobs: 2)
        let first = display.start("LSTM R=50")
        screen.at(1)
        let second = display.start("IRNN R=50")
        screen.at(10)
        display.update(first, fraction: 0.5, status: "loss 0.1234\nval 12.3 %")
        var shown = screen.shown()
        #expect(shown.count == 4)
        #expect(shown[0] == "LSTM R=50  ━━━━━━━━━━──────────  50 %  loss 0.1234 val 12.3 %")
        #expect(shown[1].hasPrefix("IRNN R=50  ────────────────────   0 %"))
        #expect(shown[2].hasSuffix("25 %  0/2 done, 10 s elapsed, about 30 s left"))
        screen.at(20)
        display.finish(first, status: "test 1.85 %")
        display.finish(second, status: "", outcome: .failed)
        shown = screen.shown()
        #expect(shown[0] == "✓ LSTM R=50  test 1.85 %  (20 s)")
        #expect(shown[1] == "✗ IRNN R=50  (19 s)")
        #expect(shown[2].contains("2/2 done, 20 s elapsed") && !shown[2].contains("left"))
        display.close()
        #expect(screen.shown() == ["✓ LSTM R=50  test 1.85 %  (20 s)", "✗ IRNN R=50  (19 s)", ""])
        let count = screen.texts.count
        display.note("late")
        display.close()
        #expect(screen.texts.count == count)
    }

    @Test func whatIsInterruptedIsNotDone() {
        let screen = Screen()
        let display = screen.display(.bar(width: 100), jobs: 2)
        let (first, second) = (display.start("LSTM R=50"), display.start("IRNN R=50"))
        screen.at(10)
        display.update(first, fraction: 0.5, status: "")
        screen.at(20)
        display.finish(first, status: "interrupted", outcome: .interrupted)
        #expect(screen.shown()[0] == "– LSTM R=50  interrupted  (20 s)")
        #expect(screen.shown()[2].contains("25 %  0/2 done, 20 s elapsed"))
        display.finish(second, status: "")
        #expect(screen.shown()[2].contains("75 %  1/2 done, 20 s elapsed"))
        let lines = Screen()
        let log = lines.display(.lines(intervalSeconds: 30), jobs: 1)
        log.finish(log.start("LSTM"), status: "interrupted", outcome: .interrupted)
        #expect(lines.texts.last == "[0 s] LSTM  interrupted  (0 s)  0/1 done, 0 s elapsed\n")
    }

    @Test func redrawsAreLimited() {
        let screen = Screen()
        let display = screen.display(.bar(width: 80), jobs: 1)
        let job = display.start("job")
        for step in 1...1000 {
            screen.at(Double(step) / 1000)
            display.update(job, fraction: Double(step) / 1000, status: "")
        }
        #expect((8...14).contains(screen.texts.count))
    }

    @Test func rowsFitTheTerminal() {
        let screen = Screen()
        let display = screen.display(.bar(width: 60), jobs: 20)
        for index in 0..<20 {
            screen.at(Double(index))
            _ = display.start("a job with quite a long name, number \(index)")
        }
        let shown = screen.shown()
        #expect(shown.count == ProgressDisplay.visibleJobs + 2)
        #expect(shown.allSatisfy { TextTable.displayWidth($0) <= 59 })
        #expect(shown[ProgressDisplay.visibleJobs].hasPrefix("all (8 more)"))
        // Names are cut behind a word.
        #expect(shown[0].hasPrefix("a job with quite a long…  "), "\(shown[0])")
    }

    @Test func linesComeAtIntervals() {
        let screen = Screen()
        let display = screen.display(.lines(intervalSeconds: 30), jobs: 2, work: 4)
        let job = display.start("LSTM", work: 3)
        for second in 1...65 {
            screen.at(Double(second))
            display.update(job, fraction: Double(second) / 100, status: "loss 0.5")
        }
        display.finish(job, status: "test 0.00 %", outcome: .failed)
        display.close()
        #expect(
            screen.texts == [
                "[0 s] LSTM  started\n",
                "[30 s] LSTM  30 %  loss 0.5  0/2 done, 30 s elapsed, about 1 min 43 s left\n",
                "[1 min 0 s] LSTM  60 %  loss 0.5  0/2 done, 1 min 0 s elapsed, about 1 min 13 s left\n",
                "[1 min 5 s] LSTM  test 0.00 %  (1 min 5 s)  FAILED  1/2 done, 1 min 5 s elapsed, about 22 s left\n",
            ])
    }

    @Test func linesAreBrokenBetweenWords() {
        let screen = Screen()
        let display = screen.display(.lines(intervalSeconds: 30, width: 30), jobs: 2)
        let job = display.start("LSTM on a book")
        screen.at(65)
        display.update(job, fraction: 0.5, status: "loss 0.5")
        #expect(
            screen.texts == [
                "[0 s] LSTM on a book started\n",
                "[1 min 5 s] LSTM on a book\n  50 % loss 0.5 0/2 done, 1\n  min 5 s elapsed, about 3 min\n  15 s left\n",
            ])
    }

    @Test func silenceAndOddValues() {
        let quiet = Screen()
        let display = quiet.display(.silent, jobs: 1)
        let job = display.start("x")
        display.update(job, fraction: 0.5, status: "")
        display.finish(job, status: "")
        display.close()
        #expect(quiet.texts.isEmpty)

        let screen = Screen()
        let bars = screen.display(.bar(width: 80), jobs: 0)
        let odd = bars.start("x")
        for (index, fraction) in [Double.nan, -1, 7, .infinity].enumerated() {
            screen.at(Double(index + 1))
            bars.update(odd, fraction: fraction, status: "")
        }
        #expect(screen.shown()[0].contains("100 %"))
        bars.finish(odd, status: "")
        bars.update(odd, fraction: 0.1, status: "after the end")
        bars.close()
        #expect(!screen.texts.joined().contains("after the end"))
    }

    @Test func manyThreads() {
        let screen = Screen()
        let display = screen.display(.lines(intervalSeconds: 0), jobs: 8)
        DispatchQueue.concurrentPerform(iterations: 8) { index in
            let job = display.start("job \(index)")
            for step in 1...100 { display.update(job, fraction: Double(step) / 100, status: "") }
            display.finish(job, status: "")
        }
        #expect(screen.texts.count == 8 * 102)
        #expect(screen.texts.last?.contains("8/8 done") == true)
    }
}
