import Testing

@testable @_spi(Laboratory) import FastWeights

/// A folder holds one comparison: what is finished there is neither replaced nor trained again.
@Suite struct CompareCommandTests {
    private let folder = TemporaryFolder()

    private func compare(_ words: String...) -> Int32 {
        CommandLineTool.run(
            arguments: [
                "compare", "--steps", "4", "--evaluate-every", "2", "--hidden", "5", "--out", folder.path("run"),
            ]
                + CommandTests.small + words)
    }

    /// The content of every file of the folder, by name.
    private func content() throws -> [String: [UInt8]] {
        let names = try Files.list(folder.path("run"))
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try Files.read(folder.path("run/\($0)"))) })
    }

    @Test func theSameCommandTrainsNothingAndWritesTheSame() throws {
        #expect(compare("--models", "gru") == 0)
        let before = try content()
        #expect(before.keys.sorted().filter { $0.hasPrefix("jobs/") } == ["jobs/gru/r-5/rate-0.002/seed-1.json"])
        #expect(compare("--models", "gru") == 0)
        #expect(try content() == before)
    }

    @Test func oneWithMoreAddsToIt() throws {
        #expect(compare("--models", "gru") == 0)
        let first = try content()["jobs/gru/r-5/rate-0.002/seed-1.json"]
        #expect(compare("--models", "rnn,gru", "--seeds", "2") == 0)
        let after = try content()
        #expect(after.keys.count { $0.hasPrefix("jobs/") } == 4)
        #expect(after["jobs/gru/r-5/rate-0.002/seed-1.json"] == first)
        let results = try JSON(parsing: try #require(after["results.json"]))
        #expect(results["runs"]?.elements?.count == 4 && results["not_finished"]?.elements?.isEmpty == true)
    }

    /// A result that is lost is trained again; until then what was written of all stays.
    @Test func fewerResultsReplaceNothing() throws {
        #expect(compare("--models", "rnn,gru") == 0)
        let before = try content()
        // The result of the one cannot be kept.
        TemporaryFolder.remove(folder.path("run/jobs/gru"))
        try Files.writeAtomically([], to: folder.path("run/jobs/gru"))
        #expect(compare("--models", "rnn,gru") == 1)
        for name in ["results.json", "metrics.csv", "report.html"] {
            try expectSame(#require(content()[name]), #require(before[name]))
        }
        TemporaryFolder.remove(folder.path("run/jobs/gru"))
        #expect(compare("--models", "rnn,gru") == 0)
        #expect(try content().keys.sorted() == before.keys.sorted())
    }

    /// Results of other settings, those of fewer models, and a file of results that is of none of them.
    @Test func otherResultsAreRefusedAndStay() throws {
        #expect(compare("--models", "gru") == 0)
        let before = try content()
        for words in [
            ["--models", "gru", "--steps", "5"], ["--models", "gru", "--pairs", "3"], ["--models", "rnn"],
            ["--models", "gru", "--seed", "2"], ["--models", "gru", "--patience", "3"],
            ["--models", "gru", "--distinct-digits"], ["--models", "gru", "--test-examples", "90"],
            ["--models", "gru", "--learning-rates", "1e-4"], ["--models", "gru", "--batch", "9"],
        ] {
            let arguments = [
                "compare", "--steps", "4", "--evaluate-every", "2", "--hidden", "5", "--out", folder.path("run"),
            ]
            #expect(CommandLineTool.run(arguments: arguments + CommandTests.small + words) == 1, "\(words)")
            #expect(try content() == before, "\(words)")
        }
        TemporaryFolder.remove(folder.path("run/jobs"))
        let results = try Files.read(folder.path("run/results.json"))
        #expect(compare("--models", "gru") == 1)
        try expectSame(Files.read(folder.path("run/results.json")), results)
    }

    /// A choice among learning rates is none before all are trained.
    @Test func aPlaceWithoutOneOfItsRatesIsNotFinished() throws {
        let data = try RetrievalData(AssociativeRetrieval(pairs: 2), counts: [200, 40, 40], seed: 1)
        let jobs = [1e-3, 1e-2].flatMap { rate in
            [UInt64(1), 2].map { seed in
                var options = TrainingOptions()
                options.learningRate = rate
                return RetrievalJob(
                    training: RetrievalTraining(model: .named("gru"), hidden: 5, seed: seed, options: options),
                    data: data, dataSeed: 1)
            }
        }
        let outcome = ComparisonOutcome(jobs) { job in
            let (rate, seed) = (job.training.options.learningRate, job.training.seed)
            if (rate, seed) == (1e-2, 2) { return nil }
            var run = TrainingRun.sample("GRU", 5, seed: seed, error: rate == 1e-2 ? 0.25 : 0.5)
            run.learningRate = rate
            return run
        }
        #expect(outcome.all.count == 3)
        #expect(outcome.runs.map(\.seed) == [1] && outcome.runs.map(\.learningRate) == [1e-2])
        #expect(outcome.missing.map(\.learningRate) == [1e-2] && outcome.unfinished.map(\.seed) == [2])
    }

    @Test func aPlaceThatCannotBeWrittenIsFoundBeforeTheWork() throws {
        #expect(compare("--models", "gru", "--json", folder.path("none/results.json")) == 1)
        #expect(!Files.exists(folder.path("run")))
        #expect(compare("--models", "gru", "--json", folder.path("results.json")) == 0)
        try expectSame(Files.read(folder.path("results.json")), Files.read(folder.path("run/results.json")))
    }
}
