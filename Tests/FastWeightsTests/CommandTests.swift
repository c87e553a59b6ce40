import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

/// The commands as a user calls them, with their files in a folder that is removed afterwards.
@Suite struct CommandTests {
    static let small = ["--train-examples", "600", "--validation-examples", "100", "--test-examples", "100"]

    @Test func trainEvaluateAndRecall() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/model.safetensors"
            let status = CommandLineTool.run(
                arguments: ["train", "--hidden", "12", "--steps", "30", "--output", path, "--pairs", "2"] + Self.small)
            #expect(status == 0)
            let file = try ModelFile(path: path)
            #expect(file.task.pairs == 2 && file.model.parameters["cell.weight_hh"].count == 12 * 12)
            let copy = folder + "/copy.safetensors"
            #expect(file.notes.map(\.0) == ["model", "seed", "steps", "test_error"])
            #expect(file.notes[0].1 == "fast-weights" && file.notes[1].1 == "1")
            try ModelFile(file.model, task: file.task, notes: file.notes).write(to: copy)
            #expect(try ModelFile(path: copy).notes.map(\.1) == file.notes.map(\.1))
            try expectSame(ModelFile(path: copy).model.parameters.block.array, file.model.parameters.block.array)
            #expect(CommandLineTool.run(arguments: ["evaluate", path] + Self.small) == 0)
            let svg = folder + "/recall.svg"
            #expect(CommandLineTool.run(arguments: ["recall", "c9k8??c", "--model", path, "--svg", svg]) == 0)
            #expect(CommandLineTool.run(arguments: ["recall", "--model", path, "--seed", "3"]) == 0)
            #expect(CommandLineTool.run(arguments: ["recall", "nonsense", "--model", path]) == 1)
            #expect(String(decoding: try Files.read(svg), as: UTF8.self).hasPrefix("<svg"))
        }
    }

    /// Each would have been trained without what was asked for.
    @Test(arguments: [
        ("associative-retrieval", ["--file", "book.txt"]), ("associative-retrieval", ["--asynchronous"]),
        ("text", ["--pairs", "3"]), ("text", ["--episodes", "9"]), ("text", ["--embedding-deviation", "1"]),
        ("catch", ["--layers", "2"]), ("catch", ["--distinct-digits"]), ("catch", ["--steps", "6"]),
    ])
    func trainRefusesOptionsOfOtherTasks(task: String, words: [String]) throws {
        try TemporaryFolder.with { folder in
            let file = folder + "/book.txt"
            try Files.writeAtomically(Array("a word and a word".utf8), to: file)
            let output = folder + "/model.safetensors"
            var arguments = ["train", "--task", task, "--output", output] + words
            if task == "text" { arguments += ["--file", file] }
            #expect(CommandLineTool.run(arguments: arguments) == 2)
            #expect(!Files.exists(output))
        }
    }

    /// Numbers that are above 0 as they are written, and 0 as the type that takes them.
    @Test(arguments: [["--clip", "1e-300"], ["--minutes", "1e-300"]])
    func optionsNextToZeroAreTaken(words: [String]) throws {
        try TemporaryFolder.with { folder in
            let arguments = ["train", "--hidden", "2", "--steps", "2", "--pairs", "2", "--output", folder + "/model"]
            #expect(CommandLineTool.run(arguments: arguments + words + Self.small) == 0)
        }
    }

    /// A decay of 10,000 times the parameters per step makes them overflow within a few; the model of the first evaluation is
    /// left, and without one what was there before.
    @Test(arguments: ["associative-retrieval", "text"], [1, 100])
    func aTrainingThatDivergesLeavesItsBestModel(task: String, evaluateEvery: Int) throws {
        try TemporaryFolder.with { folder in
            let (file, output) = (folder + "/text", folder + "/model")
            try Files.writeAtomically(Array(String(repeating: "a word and a word ", count: 20).utf8), to: file)
            try Files.writeAtomically([1, 2, 3], to: output)
            let words =
                task == "text"
                ? ["--file", file, "--window", "4", "--model", "gru"]
                : ["--pairs", "2", "--model", "lstm"] + Self.small
            let status = CommandLineTool.run(
                arguments: [
                    "train", "--task", task, "--hidden", "2", "--batch", "4", "--steps", "50", "--learning-rate", "10",
                    "--weight-decay", "1000", "--schedule", "constant", "--evaluate-every", "\(evaluateEvery)",
                    "--output", output,
                ] + words)
            #expect(status == 1)
            guard evaluateEvery == 1 else {
                #expect(try Files.read(output) == [1, 2, 3])
                return
            }
            let parameters =
                task == "text"
                ? try TextModel(path: output).network.parameters : try ModelFile(path: output).model.parameters
            #expect(parameters.block.array.allSatisfy { $0.isFinite })
        }
    }

    /// A file that is read, or kept, is not where the result goes, however its path is written.
    @Test func anOutputDoesNotTakeThePlaceOfAnotherFile() throws {
        try TemporaryFolder.with { folder in
            let (file, same) = (folder + "/file", folder + "/./there/../file")
            try Files.writeAtomically(Array("a word and a word".utf8), to: file)
            for words in [
                ["train", "--steps", "1", "--task", "text", "--file", file, "--output", same],
                ["train", "--steps", "1", "--output", folder + "/new", "--checkpoint", folder + "/./new"] + Self.small,
                [
                    "train", "--steps", "1", "--task", "text", "--file", file, "--output", folder + "/new",
                    "--checkpoint", same,
                ],
                ["run", "--model", file, "--input", folder + "/input", "--output", same],
                ["run", "--model", folder + "/model", "--input", file, "--output", same],
                ["run", "--model", file, "--input", folder + "/input", "--output", folder + "/new", "--save", same],
                [
                    "run", "--model", file, "--input", folder + "/input", "--output", folder + "/new", "--save",
                    folder + "/new",
                ],
                ["recall", "--model", file, "--svg", same],
            ] {
                #expect(CommandLineTool.run(arguments: words) == 2, "\(words)")
                #expect(try Files.list(folder) == ["file"] && Files.read(file).count == 17, "\(words)")
            }
            #expect(
                CommandLineTool.run(arguments: [
                    "run", "--model", file, "--input", file, "--output", folder + "/none/out",
                ]) == 1)
        }
    }

    /// A link is another way to write the place of the file that it leads to, and so is one to a folder.
    @Test func anOutputDoesNotTakeThePlaceOfAFileBehindALink() throws {
        try TemporaryFolder.with { folder in
            try Files.createDirectory(folder + "/real")
            let file = folder + "/real/file"
            try Files.writeAtomically(Array("a word and a word".utf8), to: file)
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: file)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/folder", withDestinationPath: folder + "/real")
            for (input, output) in [
                (folder + "/link", file), (file, folder + "/link"), (folder + "/folder/file", file),
                (file, folder + "/folder/file"), (folder + "/link", folder + "/folder/file"),
            ] {
                let words = ["train", "--steps", "1", "--task", "text", "--file", input, "--output", output]
                #expect(CommandLineTool.run(arguments: words) == 2, "\(words)")
                #expect(try Files.read(file).count == 17, "\(words)")
            }
            #expect(!Files.isSame(file, folder + "/folder/new") && !Files.isSame(file, folder + "/real"))
            #expect(Files.isSame(folder + "/real/new", folder + "/folder/new"))
        }
    }

    @Test func recallAttendsAsTheListFormSays() throws {
        let model = TrainingTests.model(.fastWeights())
        let tokens = try AssociativeRetrieval.parse("c9k8j3f1??c").tokens
        let reading = model.read(tokens)
        let (probabilities, rows) = (reading.probabilities, try #require(reading.attention))
        #expect(rows.map(\.count) == Array(0..<11))
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        expectSame(probabilities, try model.predict(.tokens([tokens.map { Int($0) }]))[0].probabilities)
        // ReLU states have no negative product.
        #expect(rows.joined().allSatisfy { $0 >= 0 } && rows.joined().contains { $0 > 0 })
        #expect(TrainingTests.model(.lstm()).read(tokens).attention == nil)
    }

    @Test func compareWritesItsRunFolder() throws {
        try TemporaryFolder.with { folder in
            func compare(_ threads: String) throws -> (JSON, [String]) {
                let out = "\(folder)/\(threads)"
                let status = CommandLineTool.run(
                    arguments: [
                        "compare", "--steps", "20", "--evaluate-every", "10", "--hidden", "5,9", "--seeds", "2",
                        "--threads",
                        threads, "--out", out,
                    ] + Self.small)
                #expect(status == 0)
                for name in ["config.json", "metrics.csv", "report.html"] { #expect(Files.exists("\(out)/\(name)")) }
                let text = try Files.read("\(out)/results.json")
                let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
                return (try JSON(parsing: text), lines.filter { !$0.contains("\"seconds\"") })
            }
            let one = try compare("1")
            #expect(one.0["runs"]?.elements?.count == 3 * 2 * 2)
            #expect(try compare("2").1 == one.1)
        }
    }

    @Test func learningRatesAreChosenOnValidation() throws {
        try TemporaryFolder.with { folder in
            let status = CommandLineTool.run(
                arguments: [
                    "compare", "--models", "gru", "--hidden", "8", "--learning-rates", "1e-8,1e-2", "--steps", "60",
                    "--evaluate-every", "20", "--pairs", "1", "--train-examples", "150", "--validation-examples", "50",
                    "--test-examples", "50", "--out", folder,
                ])
            #expect(status == 0)
            let results = try JSON(parsing: try Files.read(folder + "/results.json"))
            #expect(results["runs"]?.elements?.count == 1 && results["all_runs"]?.elements?.count == 2)
            #expect(results["runs"]?.elements?[0]["learning_rate"]?.number == 1e-2)
        }
    }

    @Test func faultsOfTheWorldEndWithTheRightStatus() throws {
        try TemporaryFolder.with { folder in
            let broken = folder + "/broken.safetensors"
            try Files.writeAtomically(Array("no model".utf8), to: broken)
            #expect(CommandLineTool.run(arguments: ["evaluate", broken]) == 1)
            #expect(CommandLineTool.run(arguments: ["evaluate", folder + "/missing"]) == 1)
            #expect(CommandLineTool.run(arguments: ["compare", "--hiden", "20"]) == 2)
            #expect(CommandLineTool.run(arguments: ["train", "--pairs", "27"]) == 2)
            #expect(CommandLineTool.run(arguments: ["train", "--pairs", "1", "--output", folder + "/m"]) == 1)
            #expect(CommandLineTool.run(arguments: ["verify", "--fixtures", folder]) == 1)
            #expect(CommandLineTool.run(arguments: ["recall", "nonsense"]) == 2)
        }
    }
}
