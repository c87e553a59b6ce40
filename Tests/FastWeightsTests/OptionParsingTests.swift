import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct OptionParsingTests {
    /// A command with an option of every kind.
    private static let command = Command(
        name: "train", summary: "Train one network", discussion: "Stops early.",
        positionals: [
            Positional(name: "model", help: "The model to train"),
            Positional(name: "data", arity: .any, help: "Files to train on"),
        ],
        options: [
            Option(name: "quiet", kind: .flag, help: "Print only the result"),
            Option(
                name: "hidden", placeholder: "N", kind: .integer(1...4096), defaultValue: "50", help: "Hidden units"),
            Option(name: "shift", placeholder: "N", kind: .integer(-5...Int.max), help: "Shift of the target"),
            Option(name: "rate", placeholder: "X", kind: .number(.leastNonzeroMagnitude...1), help: "Learning rate"),
            Option(
                name: "bias", placeholder: "X", kind: .number(-1...1), defaultValue: "-0.5",
                help: "Bias the gates begin with, which decides how long a network remembers before it has learned"),
            Option(name: "output", placeholder: "DIR", kind: .text, help: "Directory for the results"),
            Option(
                name: "cell", placeholder: "NAME", kind: .choice(["lstm", "fast", "irnn"]), defaultValue: "fast",
                help: "Cell"),
            Option(
                name: "sizes", placeholder: "N,N", kind: .list(of: .integer(1...100)), defaultValue: "20,50",
                help: "Sizes to compare"),
            Option(name: "rates", placeholder: "X,X", kind: .list(of: .number(-1...1)), help: "Rates"),
            Option(name: "cells", placeholder: "A,B", kind: .list(of: .choice(["lstm", "fast"])), help: "Cells"),
            Option(name: "seeds", placeholder: "N,N", kind: .list(of: .unsigned), help: "Seeds"),
            .seed, .threads,
        ],
        examples: ["train fast --hidden 20"]
    ) { _ in 0 }

    private func parse(_ words: String...) throws -> ParsedArguments { try Self.command.parse(["m"] + words) }

    private func message(_ words: String...) -> String? { message(of: ["m"] + words) }

    private func message(of words: [String]) -> String? {
        do {
            _ = try Self.command.parse(words)
            return nil
        } catch {
            return error.description
        }
    }

    // MARK: Values

    @Test func defaultsStandWhereNothingIsGiven() throws {
        let parsed = try parse()
        #expect(!parsed.flag("quiet"))
        #expect(parsed.integer("hidden") == 50)
        #expect(parsed.number("bias") == -0.5)
        #expect(parsed.text("cell") == "fast")
        #expect(parsed.integers("sizes") == [20, 50])
        #expect(parsed.unsigned("seed") == 1)
        #expect(parsed.integer("threads") == Machine.coreCount)
        #expect(parsed.hasValue("hidden") && !parsed.isGiven("hidden"))
        #expect(!parsed.hasValue("output") && !parsed.isGiven("output"))
    }

    @Test func readsBothWaysOfWriting() throws {
        let parsed = try parse(
            "--quiet", "--hidden", "20", "--rate=1e-3", "--output", "a=b", "--cell=lstm", "--sizes", "1,100",
            "--rates=-1,0.25", "--cells", "fast,lstm", "--seed", "18446744073709551615", "--seeds=3", "--threads=1")
        #expect(parsed.flag("quiet"))
        #expect(parsed.integer("hidden") == 20 && parsed.isGiven("hidden"))
        #expect(parsed.number("rate") == 0.001)
        #expect(parsed.text("output") == "a=b")
        #expect(parsed.text("cell") == "lstm")
        #expect(parsed.integers("sizes") == [1, 100])
        #expect(parsed.numbers("rates") == [-1, 0.25])
        #expect(parsed.texts("cells") == ["fast", "lstm"])
        #expect(parsed.unsigned("seed") == .max)
        #expect(parsed.unsigneds("seeds") == [3])
        #expect(parsed.integer("threads") == 1)
        #expect(try parse("--output=x=y").text("output") == "x=y")
    }

    @Test func negativeNumbersAreValues() throws {
        #expect(try parse("--shift", "-5").integer("shift") == -5)
        #expect(try parse("--bias", "-1e-3").number("bias") == -0.001)
        #expect(try parse("--bias", "-.5").number("bias") == -0.5)
        #expect(try parse("--rates", "-1,-0.5").numbers("rates") == [-1, -0.5])
        #expect(try parse("-3", "-").positional("data") == ["-3", "-"])
    }

    @Test func theLastOfARepeatedOptionCounts() throws {
        #expect(try parse("--hidden", "1", "--hidden=2").integer("hidden") == 2)
    }

    @Test func twoDashesEndTheOptions() throws {
        let parsed = try parse("--quiet", "--", "--hidden", "--", "-x")
        #expect(parsed.positional("data") == ["--hidden", "--", "-x"])
        #expect(!parsed.isGiven("hidden"))
        #expect(Command.asksForHelp(["a", "-h"]) && Command.asksForHelp(["--help"]))
        #expect(!Command.asksForHelp(["--", "--help"]) && !Command.asksForHelp(["--helpful"]))
    }

    @Test func wordsAreDealtOutToPositionals() throws {
        let parsed = try parse("a", "--hidden", "2", "b")
        #expect(parsed.positional("model") == ["m"])
        #expect(parsed.positional("data") == ["a", "b"])
        #expect(try parse().positional("data") == [])
        #expect(message(of: [])?.hasPrefix("expected <model>: The model to train.") == true)

        func command(_ arity: Positional.Arity) -> Command {
            Command(name: "c", summary: "", positionals: [Positional(name: "p", arity: arity, help: "P")]) { _ in 0 }
        }
        #expect(try command(.optional).parse([]).positional("p") == [])
        #expect(try command(.optional).parse(["1"]).positional("p") == ["1"])
        #expect(try command(.oneOrMore).parse(["1", "2"]).positional("p") == ["1", "2"])
        #expect(throws: UsageError.self) { try command(.oneOrMore).parse([]) }
        #expect(throws: UsageError.self) { try command(.one).parse(["1", "2"]) }
        #expect(throws: UsageError.self) { try command(.optional).parse(["1", "2"]) }
    }

    // MARK: Errors

    @Test func unknownOptionsNameTheNearest() {
        #expect(
            message("--hiden", "3")
                == "unknown option --hiden; did you mean --hidden? Run fastweights train --help for all options.")
        #expect(message("--threasd=2")?.contains("did you mean --threads?") == true)
        #expect(message("-seed", "2")?.contains("did you mean --seed?") == true)
        #expect(message("--zebra") == "unknown option --zebra. Run fastweights train --help for all options.")
        #expect(message("-x") != nil && message("--Hidden=3") != nil && message("--=3") != nil)
    }

    @Test func missingValuesAreNotTakenFromTheNextOption() {
        #expect(
            message("--hidden") == "--hidden needs a value: a whole number from 1 to 4096, for example --hidden 50.")
        #expect(message("--output", "--quiet")?.hasPrefix("--output needs a value") == true)
        #expect(message("--output", "--") != nil)
        #expect(message("--output", "-h") != nil)
        #expect(message("--quiet=yes")?.hasPrefix("--quiet takes no value") == true)
    }

    @Test(arguments: [
        ("hidden", ["0", "4097", "2.5", "ten", "", " 5", "1e2", "99999999999999999999"]),
        ("shift", ["-6"]), ("seed", ["-1", "18446744073709551616", "x"]),
        ("rate", ["0", "-0.1", "1.001", "nan", "inf", "0x1p-3", "", "1,2"]), ("bias", ["-1.5", "1e999"]),
        ("output", [""]), ("cell", ["LSTM", "", "lst", "lstm,fast"]),
        ("sizes", ["", "20,", ",20", "20,,50", "20,101", "20;50", "20, 50"]), ("cells", ["lstm,gru"]),
        ("threads", ["0", "-1"]),
    ])
    func valuesOutOfRangeOrMalformedAreRefused(name: String, texts: [String]) {
        for text in texts {
            let message = message("--\(name)=\(text)")
            #expect(message?.hasPrefix("--\(name) expects ") == true, "--\(name)=\(text)")
            #expect(message?.contains("but found \"\(text)\"; for example --\(name) ") == true)
        }
    }

    @Test func boundsAreNamedInWords() {
        #expect(Option.Kind.integer(1...Int.max).expectation == "a whole number of at least 1")
        #expect(Option.Kind.integer(Int.min...3).expectation == "a whole number of at most 3")
        #expect(Option.Kind.integer(Int.min...Int.max).expectation == "a whole number")
        #expect(Option.Kind.number(0...1).expectation == "a number from 0 to 1")
        #expect(Option.Kind.number(.leastNonzeroMagnitude...1).expectation == "a number above 0, at most 1")
        let positive = Option.Kind.number(.leastNonzeroMagnitude ... .greatestFiniteMagnitude)
        #expect(positive.expectation == "a number above 0")
        #expect(Option.Kind.choice(["a", "b"]).expectation == "one of a, b")
    }

    @Test func boundsBelongToTheRange() throws {
        #expect(try parse("--hidden", "1").integer("hidden") == 1)
        #expect(try parse("--hidden", "4096").integer("hidden") == 4096)
        #expect(try parse("--rate", "1").number("rate") == 1)
        #expect(try parse("--rate", "5e-324").number("rate") == .leastNonzeroMagnitude)
    }

    @Test func examplesInErrorsAreThemselvesAllowed() throws {
        for option in Self.command.options where option.placeholder != "" {
            #expect(throws: Never.self) { try option.value(of: option.kind.example) }
        }
    }

    // MARK: Help

    @Test func helpShowsEveryOptionWithItsDefault() {
        let help = Self.command.help()
        #expect(help.hasPrefix("fastweights train: Train one network\n\nStops early.\n\nUsage: "))
        #expect(help.contains("\nUsage: fastweights train [options] <model> [<data>...]\n"))
        #expect(help.contains("\n  <model>  The model to train\n"))
        #expect(help.contains("\n  --hidden <N>    Hidden units (default: 50)\n"))
        #expect(help.contains("\n  --cell <NAME>   Cell: lstm, fast, irnn (default: fast)\n"))
        #expect(help.contains("\n  --quiet         Print only the result\n"))
        let words = help.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(
            words.contains("--threads <N> Threads to work with; results do not depend on it (default: number of cores)")
        )
        #expect(help.contains("\n  --help, -h      Show this help\n"))
        #expect(help.hasSuffix("\nExamples:\n  fastweights train fast --hidden 20\n"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 && $0.last != " " })
        #expect(help.contains("\n                  "), "the longest explanation is wrapped")
    }

    @Test func everyCommandOfTheToolIsWellFormed() throws {
        let names = CommandLineTool.commands.map(\.name)
        #expect(Set(names).count == names.count)
        for command in CommandLineTool.commands {
            for task in [nil] + command.tasks.map(\.name) {
                let options = command.options(of: task.map { ["--task", $0] } ?? [])
                let names = options.map(\.name)
                #expect(Set(names).count == names.count && !names.contains("help"))
                for option in options {
                    if let text = option.defaultValue { #expect(throws: Never.self) { try option.value(of: text) } }
                }
            }
            #expect(command.positionals.dropLast().allSatisfy { $0.arity == .one })
            // Narrow or wide, within the width, and with the same words.
            func words(_ help: String) -> [Substring] { help.split { " \n".contains($0) }.filter { $0 != "\\" } }
            for width in [80, 60, 40] {
                let help = command.help(width: width)
                let long = help.split(separator: "\n").filter { $0.count > max(width, 50) }
                #expect(long.isEmpty, "fastweights help \(command.name), \(width) columns: \(long)")
                #expect(words(help) == words(command.help()), "fastweights help \(command.name), \(width) columns")
            }
        }
    }

    // MARK: The tool

    private struct Broken: Error, CustomStringConvertible {
        let description = "the network exploded"
    }

    private func run(_ words: String...) -> (status: Int32, output: String, error: String) { run(words) }

    private func run(_ words: [String], width: Int = 80) -> (status: Int32, output: String, error: String) {
        var output = ""
        var error = ""
        let commands = [
            Self.command,
            Command(name: "fail", summary: "Fail") { _ in throw Broken() },
            Command(name: "find", summary: "Find a fault") { _ in 1 },
        ]
        let status = CommandLineTool.run(words, commands: commands, width: width) { text, stream in
            if stream == .output { output += text } else { error += text }
        }
        return (status, output, error)
    }

    @Test func helpAndVersionGoToStandardOutput() {
        for words in [run(), run("--help"), run("-h"), run("help")] {
            #expect(words.status == 0 && words.error.isEmpty)
            #expect(words.output.contains("\n  train  Train one network\n  fail   Fail\n"))
        }
        for words in [run("help", "train"), run("train", "--help"), run("train", "--hidden", "x", "-h")] {
            #expect(words == (0, Self.command.help(), ""))
        }
        for words in [["--help"], ["train", "--help"], ["help", "train"]] {
            let narrow = run(words, width: 60).output
            #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 60 }, "\(narrow)")
        }
        #expect(run("--version") == (0, "fastweights \(CommandLineTool.version)\n", ""))
    }

    @Test func failuresNameTheCommandAndGiveAStatus() {
        #expect(run("fail") == (1, "", "fastweights fail: the network exploded\n"))
        #expect(run("find") == (1, "", ""))
        #expect(run("train", "m") == (0, "", ""))
        let usage = run("train", "m", "--hidden", "0")
        #expect(usage.status == 2 && usage.output.isEmpty)
        #expect(usage.error.hasPrefix("fastweights train: --hidden expects "))
    }

    @Test func unknownCommandsNameTheNearest() {
        let trian =
            "fastweights: unknown command \"trian\"; did you mean train? Run fastweights --help for all commands.\n"
        #expect(run("trian") == (2, "", trian))
        #expect(run("help", "trian") == (2, "", trian))
        #expect(run("zebra").error.hasPrefix("fastweights: unknown command \"zebra\". Run"))
        #expect(run("--hidden", "3").status == 2)
        #expect(run("help", "train", "fail").status == 2)
        #expect(run("").status == 2)
    }

    @Test(arguments: [
        ("abc", "abc", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "xbc", 1),
        ("kitten", "sitting", 3), ("ab", "ba", 1),
    ])
    func editDistanceCountsEditsAndSwaps(a: String, b: String, expected: Int) {
        #expect(NearestName.editDistance(Array(a), Array(b)) == expected)
    }

    @Test func theNearestIsTheFirstOfEqualsAndNotTooFar() {
        #expect(NearestName.nearest(to: "cat", among: ["bat", "hat"]) == "bat")
        #expect(NearestName.nearest(to: "cat", among: ["dog", "cart"]) == "cart")
        #expect(NearestName.nearest(to: "cat", among: ["dog"]) == nil)
        #expect(NearestName.nearest(to: "x", among: []) == nil)
    }
}
