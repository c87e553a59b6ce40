import Foundation
import Testing

@testable import FastWeights

@Suite struct HTMLReportTests {
    private func report(
        _ runs: [TrainingRun], unfinished: [UnfinishedTraining] = [], text: String = "x"
    ) -> String {
        HTMLReport(
            title: text, introduction: [text], command: text, configuration: [(text, text)], runs: runs,
            unfinished: unfinished, plateauError: 0.6165, plateauLoss: 1.187, notes: [text],
            figures: [.init(caption: text, svg: "<svg><title>figure</title></svg>")]
        ).render()
    }

    /// The page but for its doctype and void elements is written so that an XML parser can check its nesting.
    private func isNested(_ html: String) -> Bool {
        var text = html.replacingOccurrences(of: "<!DOCTYPE html>", with: "")
        for name in ["<meta charset=\"utf-8\">", "<details open>"] {
            text = text.replacingOccurrences(of: name, with: name == "<details open>" ? "<details>" : "")
        }
        text = text.replacingOccurrences(of: "<meta [^>]*>", with: "", options: .regularExpression)
        return isWellFormed(text)
    }

    private let runs: [TrainingRun] = [
        .sample("LSTM", 20, error: 0.6081, paper: 0.6081), .sample("LSTM", 50, seed: 1, error: 0.02, paper: 0.0185),
        .sample("LSTM", 50, seed: 2, error: 0.03, stopped: "interrupted", paper: 0.0185),
        .sample("Fast weights", 20, error: 0.0181, paper: 0.0181), .sample("Fast weights", 50, error: 0, paper: 0),
    ]

    @Test func everyPartIsThere() {
        let html = report(runs)
        #expect(isNested(html))
        expectSelfContained(html)
        #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
        #expect(html.components(separatedBy: "role=\"img\"").count == 5)
        #expect(html.contains("<b>2.50 %</b> <small>[1]</small>") && html.contains("2 seeds, 2.00–3.00"))
        #expect(html.contains("paper 1.85 %") && html.contains("at the plateau") && html.contains("solved"))
        #expect(html.contains("[1] LSTM R=50, seed 2, ended after 1,000 steps: interrupted"))
        #expect(html.contains("plateau 1.187 nats"))
        #expect(html == report(runs))
    }

    @Test func idsAreUnique() {
        let ids = report(runs).components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(ids.count == 8 && Set(ids).count == ids.count)
    }

    @Test func allTextIsEscaped() {
        let hostile = "</code></p><script>alert('1')</script>&\""
        var run = TrainingRun.sample(hostile, 20, error: .nan, stopped: hostile, paper: 0.5)
        run.curve[3].validationLoss = .nan
        let html = report([run], text: hostile)
        #expect(!html.contains("<script"))
        #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"))
        #expect(isNested(html))
    }

    @Test func whatIsNotFinishedHasNoFigure() {
        let html = report(runs, unfinished: [.sample("IRNN", 100)])
        #expect(isNested(html))
        #expect(html.contains("<td class=\"unknown\"><em>not finished</em></td>"))
        // As many figures and plots as without.
        for part in ["<b>", "class=\"ours\" style", "role=\"img\""] {
            #expect(
                html.components(separatedBy: part).count == report(runs).components(separatedBy: part).count, "\(part)")
        }
        let alone = report([], unfinished: [.sample("IRNN", 100)])
        #expect(isNested(alone) && !alone.contains("<b>") && !alone.contains("Learning curves"))
        #expect(alone.contains("not finished"))
    }

    @Test func fewOrNoRuns() {
        #expect(report([]).contains("<p>No runs.</p>"))
        #expect(isNested(report([])))
        var bare = TrainingRun.sample("LSTM", 50, error: 0.3)
        bare.curve = []
        #expect(isNested(report([bare])))
        #expect(!report([bare]).contains("Learning curves") && report([bare]).contains("not in the paper"))
        bare.curve = [.init(step: 1, trainingLoss: .infinity, validationLoss: .infinity, validationError: 1)]
        #expect(isNested(report([bare])))
        expectSelfContained(report([bare]))
        bare.pairs = 8
        #expect(report(runs + [bare]).contains("K = 8"))
    }
}
