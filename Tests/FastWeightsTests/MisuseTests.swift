import Foundation
import Testing

/// What a program says that uses the library wrongly, in the build of these tests: an optimized one in `make test`.
@Suite struct MisuseTests {
    @Test func everyMistakeEndsWithItsSentence() throws {
        let lines = try Self.run([]).output.split(separator: "\n").map { $0.split(separator: "\t") }
        let cases = try lines.map { (name: try String(#require($0.first)), sentence: try String(#require($0.last))) }
        #expect(cases.count >= 25 && Set(cases.map(\.name)).count == cases.count)
        for mistake in cases {
            let run = try Self.run([mistake.name])
            // The place in the library stands before, a stack trace may stand behind.
            let said = run.error.split(separator: "\n").compactMap { $0.split(separator: "Fatal error: ").last }.first
            #expect(said.map { String($0) } == mistake.sentence, "\(mistake.name) said: \(run.error)")
            #expect(run.output.isEmpty && run.isTrap, "\(mistake.name) went on")
        }
    }

    /// The program `FastWeightsMisuse` with these arguments: what it wrote, and whether it ended by a trap.
    private static func run(_ arguments: [String]) throws -> (output: String, error: String, isTrap: Bool) {
        let process = Process()
        process.executableURL = try program()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let (output, error) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, error)
        try process.run()
        let texts = [output, error].map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        #if SANITIZED
            // A sanitizer takes the signal and ends the process in its own way.
            let isTrap = process.terminationStatus != 0
        #else
            let isTrap = process.terminationReason == .uncaughtSignal
        #endif
        return (texts[0], texts[1], isTrap)
    }

    private struct NoProgram: Error, CustomStringConvertible {
        let description: String
    }

    /// The program beside that of these tests, which on a Mac lies in a bundle.
    private static func program() throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let program = folder.appendingPathComponent("FastWeightsMisuse")
            if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        }
        throw NoProgram(description: "no folder above \(CommandLine.arguments[0]) has FastWeightsMisuse")
    }
}
