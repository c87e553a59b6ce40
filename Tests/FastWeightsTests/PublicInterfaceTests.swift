import Foundation
import Testing

@testable import FastWeights

/// What the module shows to others, as the compiler's symbol graph of the module that these tests are linked with has it:
/// every symbol has a comment, which says what is thrown, none has an unsafe type, and each type is found from the
/// documentation's front page.
@Suite struct PublicInterfaceTests {
    /// A symbol that the sources declare; those that the compiler or the standard library adds have no place.
    private struct Symbol {
        let name: String
        let declaration: String
        let comment: String
        let isType: Bool
    }

    private static func symbols(_ graph: JSON) -> [Symbol] {
        (graph["symbols"]?.elements ?? []).filter { $0["location"] != nil }.map { symbol in
            let path = (symbol["pathComponents"]?.elements ?? []).compactMap(\.text)
            return Symbol(
                name: path.joined(separator: "."),
                declaration: (symbol["declarationFragments"]?.elements ?? []).compactMap { $0["spelling"]?.text }
                    .joined(),
                comment: (symbol["docComment"]?["lines"]?.elements ?? []).compactMap { $0["text"]?.text }
                    .joined(separator: "\n"),
                isType: path.count == 1
                    && ["swift.struct", "swift.class", "swift.enum", "swift.protocol"].contains(
                        symbol["kind"]?["identifier"]?.text ?? "")
            )
        }
    }

    private static func problems(_ symbols: [Symbol]) -> [String] {
        symbols.filter { $0.comment.isEmpty }.map { "\($0.name) has no comment" }
            // What only hands on an error of the caller's closure is generic in it.
            + symbols.filter { symbol in
                symbol.declaration.contains(" throws") && !symbol.declaration.contains("throws(Failure)")
                    && !symbol.comment.contains("hrows")
            }.map { "\($0.name) throws, and its comment does not say what" }
            + symbols.filter { symbol in
                ["Unsafe", "Opaque", "SIMD"].contains { symbol.declaration.contains($0) }
            }.map { "\($0.name) shows an unsafe type: \($0.declaration)" }
    }

    /// Runs a program found in the path and gives what it printed.
    private static func run(_ words: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words.joined(separator: " "))")
        return data
    }

    private struct NoModule: Error, CustomStringConvertible {
        let description: String
    }

    /// The folder with the module beside the program of these tests, which on a Mac lies in a bundle.
    private static func modules() throws -> String {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let modules = folder.appendingPathComponent("Modules")
            if FileManager.default.fileExists(atPath: modules.appendingPathComponent("FastWeights.swiftmodule").path) {
                return modules.path
            }
        }
        throw NoModule(description: "no folder above \(CommandLine.arguments[0]) has Modules/FastWeights.swiftmodule")
    }

    private static func graph() throws -> JSON {
        let info = try JSON(parsing: run(["swift", "-print-target-info"]))
        let target = try #require(info["target"]?["triple"]?.text)
        return try TemporaryFolder.with { folder in
            _ = try run([
                "swift", "symbolgraph-extract", "-module-name", "FastWeights", "-I", try modules(), "-target", target,
                "-minimum-access-level", "public", "-output-dir", folder,
            ])
            return try JSON(parsing: Data(contentsOf: URL(fileURLWithPath: folder + "/FastWeights.symbols.json")))
        }
    }

    @Test func everySymbolIsDocumentedAndSafe() throws {
        let symbols = Self.symbols(try Self.graph())
        #expect(symbols.count > 200)
        for problem in Self.problems(symbols) { Issue.record("\(problem)") }
        let page = try String(
            contentsOfFile: String(#filePath.dropLast("Tests/FastWeightsTests/PublicInterfaceTests.swift".count))
                + "Sources/FastWeights/FastWeights.docc/FastWeights.md", encoding: .utf8)
        for type in symbols where type.isType {
            #expect(page.contains("- ``\(type.name)``"), "\(type.name) is not among the topics of FastWeights.md")
        }
    }

    /// The check itself: a graph with sound symbols, one that the compiler added, and four that are not sound.
    @Test func whatIsNotSoundIsFound() throws {
        func symbol(_ name: String, _ declaration: String, comment: String?, place: Bool = true) -> String {
            #"{"pathComponents": ["\#(name)"], "declarationFragments": [{"spelling": "\#(declaration)"}]"#
                + (place ? #", "location": {"uri": "file"}"# : "")
                + (comment.map { #", "docComment": {"lines": [{"text": "\#($0)"}]}"# } ?? "") + "}"
        }
        let graph = try JSON(
            parsing: (#"{"symbols": ["#
                + [
                    symbol("sound", "func sound() -> [Float]", comment: "x"),
                    symbol("loud", "func loud() throws", comment: "Throws."),
                    symbol("silent", "func silent() throws", comment: "x"),
                    symbol("hash", "func hash()", comment: nil, place: false),
                    symbol("bare", "func bare()", comment: nil),
                    symbol("pointer", "var pointer: UnsafeMutablePointer<Float>", comment: "x"),
                    symbol("lanes", "var lanes: SIMD16<Float>", comment: "x"),
                ].joined(separator: ",") + "]}").utf8)
        let problems = Self.problems(Self.symbols(graph))
        #expect(problems.count == 4)
        for name in ["bare has no comment", "silent throws", "pointer shows", "lanes shows"] {
            #expect(problems.contains { $0.hasPrefix(name) }, "\(name)")
        }
    }
}
