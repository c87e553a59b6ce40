import Testing

@testable @_spi(Laboratory) import FastWeights

/// Options of the tool that belong to one task, to a file, or to one place on a command line.
@Suite struct TaskOptionTests {
    private func message(_ command: Command, _ words: String...) -> String? {
        do {
            _ = try command.parse(words)
            return nil
        } catch { return error.description }
    }

    // MARK: Tasks

    /// Each task has the defaults that its training has.
    @Test func everyTaskHasDefaultsOfItsOwn() throws {
        func parse(_ words: String...) throws -> ParsedArguments { try Command.train.parse(words) }
        let retrieval = try parse()
        #expect(retrieval.text("task") == "associative-retrieval")
        #expect((retrieval.integer("hidden"), retrieval.integer("batch")) == (50, 128))
        #expect(retrieval.text("schedule") == "cosine" && retrieval.integer("evaluate-every") == 500)
        let text = try parse("--file", "book", "--task", "text")
        #expect((text.integer("hidden"), text.integer("batch"), text.integer("window")) == (50, 32, 64))
        let game = try parse("--task=catch", "--size", "8")
        let options = CatchOptions()
        let training = CatchTraining(model: .named("gru"), task: try Catch(size: 8, visibleFrames: 3), options: options)
        #expect(game.integer("hidden") == training.hidden)
        #expect(
            game.text("schedule") == options.schedule.description
                && game.number("clip") == options.clip.map(Double.init))
        #expect(game.integer("evaluate-every") == options.evaluateEvery)
        #expect(try parse("--task", "text", "--task", "catch").integer("hidden") == 128)
    }

    @Test func optionsOfOtherTasksAreRefusedByName() {
        for (words, task) in [
            (["--file", "x"], "text"),
            (["--task", "catch", "--patience", "3"], "associative-retrieval or text or video"),
            (["--task", "text", "--pairs", "3"], "associative-retrieval"), (["--fast-rate", "0.1"], "text or catch"),
            (["--task", "catch", "--embedding-deviation=2"], "associative-retrieval"),
            (["--size", "9"], "catch or video"),
            (["--task", "video", "--hidden", "9"], "associative-retrieval or text or catch"),
        ] {
            let option = words.last { $0.hasPrefix("--") }!.split(separator: "=")[0]
            #expect(throws: UsageError("\(option) is for --task \(task) alone.")) { try Command.train.parse(words) }
        }
        #expect(
            message(.train, "--task", "tetx")?.hasPrefix("--task expects one of associative-retrieval, text, catch")
                == true)
        #expect(message(.train, "--task") != nil && message(.train, "--fiel", "x")?.hasPrefix("unknown option") == true)
    }

    /// As a model of video is none of those of other tasks.
    @Test func anOptionOfATaskTakesThePlaceOfTheCommands() throws {
        #expect(try Command.train.parse(["--task", "video"]).text("model") == "cdna")
        #expect(try Command.train.parse(["--model", "gru"]).text("model") == "gru")
        #expect(
            message(.train, "--task", "video", "--model", "gru")?.hasPrefix("--model expects one of cdna, dna") == true)
        #expect(message(.train, "--model", "cdna")?.hasPrefix("--model expects one of irnn") == true)
        func count(_ words: [String]) -> Int {
            Command.train.help(words).split(separator: "\n").count { $0.hasPrefix("  --model <NAME>") }
        }
        #expect(count([]) == 2 && count(["--task", "video"]) == 1 && count(["--task", "text"]) == 1)
    }

    @Test func helpIsThatOfTheTask() {
        let all = Command.train.help()
        let text = Command.train.help(["--task", "text", "--help"])
        #expect(
            all.contains("\nOptions of --task associative-retrieval:\n") && all.contains("\nOptions of --task catch:\n")
        )
        #expect(text.contains("\nOptions of --task text:\n") && !text.contains("Options of --task catch"))
        func part(_ task: String) -> Substring {
            all.split(separator: "\nExamples:")[0].split(separator: "\nOptions of --task ").last { $0.hasPrefix(task) }
                ?? ""
        }
        #expect(part("catch").contains("--hidden <R>") && part("catch").contains("(default: 128)"))
        #expect(part("text").contains("Parts of the text a step (default: 32)"))
        #expect(!part("catch").contains("--checkpoint") && !part("text").contains("--pairs"))
    }

    // MARK: Files

    /// A dash is standard output where an option says so, and nowhere a file of this name.
    @Test func aDashIsNoFile() throws {
        var paths = 0
        for command in CommandLineTool.commands {
            for task in [nil] + command.tasks.map(\.name) {
                for option in command.options(of: task.map { ["--task", $0] } ?? []) {
                    guard case .path(let orOutput) = option.kind else {
                        #expect(option.placeholder != "FILE" && option.placeholder != "DIR", "\(option.name)")
                        continue
                    }
                    paths += 1
                    #expect(orOutput == ["svg", "json"].contains(option.name))
                    if orOutput {
                        #expect(throws: Never.self) { try option.value(of: "-") }
                    } else {
                        let error = #expect(throws: UsageError.self) { try option.value(of: "-") }
                        #expect(
                            error?.description.hasPrefix("--\(option.name) expects a path, ./- for a file called -")
                                == true)
                    }
                    #expect(throws: Never.self) { try option.value(of: "./-") }
                }
            }
        }
        #expect(paths > 15)
    }

    /// The model of every command that reads one: --model, with the file that `train` writes for a default.
    @Test func modelsAreNamedTheSameWayEverywhere() throws {
        let commands: [Command] = [.evaluate, .generate, .play, .predict, .recall, .run]
        for command in commands {
            let option = try #require(command.options.first { $0.name == "model" })
            #expect(option.defaultValue == "model.safetensors")
            let words = ["run": ["--input", "x", "--output", "y"], "predict": ["--input", "x"]][command.name] ?? []
            #expect(throws: UsageError("expected --model FILE, as there is no model.safetensors here.")) {
                try command.run(command.parse(words))
            }
            #expect(CommandLineTool.run(arguments: [command.name, "--model", "nowhere"] + words) == 1)
        }
        try TemporaryFolder.with { folder in
            let path = folder + "/model"
            try ModelFile(TrainingTests.model(.gru), task: try AssociativeRetrieval(pairs: 4)).write(to: path)
            let words = ["--train-examples", "1", "--validation-examples", "1", "--test-examples", "16"]
            #expect(CommandLineTool.run(arguments: ["evaluate", "--model", path] + words) == 0)
            #expect(CommandLineTool.run(arguments: ["evaluate", path] + words) == 0)
            #expect(CommandLineTool.run(arguments: ["evaluate", path, "--model", path]) == 2)
        }
    }

    // MARK: Silence

    @Test func optionsWithoutEffectAreRefused() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/model"
            try ModelFile(TrainingTests.model(.fastWeights()), task: try AssociativeRetrieval(pairs: 4)).write(to: path)
            func status(_ words: String...) -> Int32 { CommandLineTool.run(arguments: words) }
            #expect(status("recall", "c9k8??c", "--model", path) == 0)
            #expect(status("recall", "c9k8??c", "--model", path, "--seed", "2") == 2)
            #expect(status("compare", "--quick", "--steps", "10", "--out", folder + "/run") == 2)
            #expect(!Files.exists(folder + "/run"))
            #expect(status("train", "--every", "10", "--output", folder + "/m") == 2)
            #expect(status("run", "--model", path, "--input", "x", "--output", "y", "--seed", "1") == 2)
            for words in [["info", "--seed", "1"], ["info", "--threads", "1"], ["verify", "--seed", "1"]] {
                #expect(CommandLineTool.run(arguments: words) == 2)
            }
        }
    }

    @Test func aQuestionWithoutAnAnswerIsSaid() throws {
        #expect(Command.remarks("c9k8??c", answer: 9, pairs: 2, trained: 2) == [])
        #expect(
            Command.remarks("c9k8??z", answer: nil, pairs: 2, trained: 4) == [
                "the model was trained on 4 pairs, this sequence has 2",
                "the sequence asks for z, which is not among its letters: no answer is right",
            ])
        #expect(
            Command.remarks("c9k8c3??c", answer: 3, pairs: 3, trained: 3) == [
                "c stands 2 times; the digit behind the last is taken as right"
            ])
    }

    @Test func goldenCasesThatAreElsewhereAreNamed() throws {
        let error = #expect(throws: FileError.self) {
            try Command.verify.run(Command.verify.parse(["--fixtures", "nowhere"]))
        }
        #expect(
            "\(error!)"
                == "cannot read the golden cases in nowhere: there is no such folder here. They are in the folder Fixtures of the sources of FastWeights: name it with --fixtures DIR."
        )
    }
}
