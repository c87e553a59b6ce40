/// The command line tool `fastweights`: finds the command, reads its options, runs it and reports what went wrong.
@_spi(Laboratory) public enum CommandLineTool {
    /// The version `--version` prints.
    public static let version = libraryVersion

    /// Runs the tool and returns the exit status of the process: 0 if all went well, 1 if the work failed, 2 if the
    /// command line makes no sense. A second Ctrl-C ends the process with 130, a closed standard output with 141.
    ///
    /// - Parameters:
    ///   - arguments: The words of the command line after the tool's name.
    ///   - advice: What `info` says of a build that would be faster on this processor, a sentence without a full stop.
    public static func run(arguments: [String], advice: String? = nil) -> Int32 {
        Terminal.prepare()
        return run(arguments, commands: commands(advice: advice)) { Terminal.write($0, to: $1) }
    }

    /// The verbs of the tool, in the order the help lists them.
    static let commands = commands(advice: nil)

    private static func commands(advice: String?) -> [Command] {
        [
            .compare, .paper, .video, .jobs, .runJob, .report, .train, .generate, .play, .predict, .evaluate, .recall,
            .run, .verify, .bench, .info(advice: advice),
        ]
    }

    /// The tool over other commands and another place to write to.
    static func run(
        _ arguments: [String], commands: [Command], width: Int = Terminal.width(.output),
        write: (String, Terminal.Stream) -> Void
    ) -> Int32 {
        guard let verb = arguments.first else {
            write(overview(of: commands, width: width), .output)
            return 0
        }
        var name = "fastweights"
        do {
            switch verb {
            case "--version":
                write("fastweights \(version)\n", .output)
                return 0
            case "help", "--help", "-h":
                write(try help(Array(arguments.dropFirst()), commands: commands, width: width), .output)
                return 0
            default:
                let command = try find(verb, among: commands)
                name += " \(command.name)"
                let words = Array(arguments.dropFirst())
                if Command.asksForHelp(words) {
                    write(command.help(words, width: width), .output)
                    return 0
                }
                return try command.run(command.parse(words))
            }
        } catch {
            write("\(name): \(error)\n", .error)
            return error is UsageError ? 2 : 1
        }
    }

    private static func find(_ verb: String, among commands: [Command]) throws(UsageError) -> Command {
        if let command = commands.first(where: { $0.name == verb }) { return command }
        guard !verb.hasPrefix("-") else {
            throw UsageError("expected a command before the option \(verb). Run fastweights --help for all commands.")
        }
        let hint = NearestName.nearest(to: verb, among: commands.map(\.name) + ["help"]).map { "; did you mean \($0)?" }
        throw UsageError("unknown command \"\(verb)\"\(hint ?? ".") Run fastweights --help for all commands.")
    }

    private static func help(_ words: [String], commands: [Command], width: Int) throws(UsageError) -> String {
        guard let verb = words.first else { return overview(of: commands, width: width) }
        guard words.count == 1 else {
            throw UsageError("expected one command after help, but found \"\(words.joined(separator: " "))\".")
        }
        return try find(verb, among: commands).help(width: width)
    }

    private static func overview(of commands: [Command], width: Int) -> String {
        let width = min(max(width, 20), HelpTable.width)
        return """
            fastweights: recurrent networks with fast weights

            Usage: fastweights <command> [options]

            Commands:
            \(HelpTable.text(commands.map { ($0.name, $0.summary) }, width: width))
            Options:
            \(HelpTable.text([HelpTable.helpRow, ("--version", "Show the version")], width: width))
            \(LineBreaks.paragraphs("Run fastweights help <command> for a command's own options.", width: width))

            """
    }
}
