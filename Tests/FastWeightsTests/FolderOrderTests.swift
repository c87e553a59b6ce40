import Foundation
import Testing

/// The folders of the library stand in one order, that of the README's table: each uses those above it and none below, so
/// that a part can be read, and taken, without what is built on it.
@Suite struct FolderOrderTests {
    private struct File {
        let folder: String
        let name: String
        let code: String
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The rows `| `Folder` | …` of the README.
    private static func order() throws -> [String] {
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let table = try #require(readme.firstRange(of: "| folder | what it holds |"))
        return readme[table.upperBound...].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("| `") }.map {
            String($0.dropFirst(3).prefix { $0 != "`" })
        }
    }

    private static func files() throws -> [File] {
        let sources = root.appending(path: "Sources/FastWeights").path
        return try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }.map {
            let text = try String(contentsOfFile: sources + "/" + $0, encoding: .utf8)
            return File(folder: ($0 as NSString).deletingLastPathComponent, name: $0, code: code(text))
        }
    }

    /// The text without its comments and the words of its string literals; what is interpolated stays.
    static func code(_ text: String) -> String {
        var (result, rest) = ([UInt8](), Array(text.utf8)[...])
        /// For each string literal that an interpolation is in, its quotes and the parentheses open within.
        var open: [(quotes: Int, depth: Int)] = []
        var quotes = 0
        func begins(_ word: String) -> Bool { rest.starts(with: word.utf8) }
        while let byte = rest.first {
            if quotes > 0 {
                if begins("\\(") {
                    open.append((quotes, 0))
                    (quotes, rest) = (0, rest.dropFirst(2))
                    result.append(UInt8(ascii: " "))
                } else if byte == UInt8(ascii: "\\") {
                    rest = rest.dropFirst(2)
                } else if begins(String(repeating: "\"", count: quotes)) {
                    (rest, quotes) = (rest.dropFirst(quotes), 0)
                } else {
                    // A literal of one line ends with it, whatever its quotes.
                    if byte == UInt8(ascii: "\n") && quotes == 1 { quotes = 0 }
                    rest = rest.dropFirst()
                }
            } else if begins("//") {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if byte == UInt8(ascii: "\"") {
                quotes = begins("\"\"\"") ? 3 : 1
                rest = rest.dropFirst(quotes)
            } else {
                rest = rest.dropFirst()
                if let inner = open.last {
                    if byte == UInt8(ascii: ")"), inner.depth == 0 {
                        quotes = open.removeLast().quotes
                        continue
                    }
                    let change = byte == UInt8(ascii: "(") ? 1 : byte == UInt8(ascii: ")") ? -1 : 0
                    open[open.count - 1].depth += change
                }
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Names of types that are no members, with the folder that alone declares each.
    private static func owners(_ files: [File]) -> [Substring: String] {
        let declaration =
            /^(?:@\w+(?:\(\w+\))? )?(?:(?:public|final|indirect) )*(?:class|struct|enum|protocol|typealias) (?<name>\w+)/
            .anchorsMatchLineEndings()
        var folders: [Substring: Set<String>] = [:]
        for file in files {
            for match in file.code.matches(of: declaration) { folders[match.name, default: []].insert(file.folder) }
        }
        return folders.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    @Test func everyFolderUsesThoseAboveItAlone() throws {
        let (order, files) = (try Self.order(), try Self.files())
        #expect(Set(order) == Set(files.map(\.folder)))
        let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        let owners = Self.owners(files)
        #expect(owners["Buffer"] == "Storage" && owners["CommandLineTool"] == "Laboratory/Commands")
        #expect(owners.count > 200)
        for file in files {
            // A name of its own behind a dot is a member of something else.
            for match in file.code.matches(of: /(?<before>[.\w]?)\b(?<name>[A-Za-z]\w*)/) where match.before.isEmpty {
                guard let owner = owners[match.name], let above = places[owner], let own = places[file.folder] else {
                    continue
                }
                if above > own { Issue.record("\(file.name) uses \(match.name) of \(owner), which stands below it") }
            }
        }
    }

    /// The folders that `Tests/portable-core.sh` compiles where there is no system are those that the README names.
    @Test func theReadmeNamesThePortableFolders() throws {
        let script = try String(contentsOf: Self.root.appending(path: "Tests/portable-core.sh"), encoding: .utf8)
        let list = try #require(script.firstMatch(of: /\ncore=\((?<words>[^)]*)\)/)).words
        let folders = list.split { $0 == " " || $0 == "\n" }.filter { !$0.contains("/") }
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let end = try #require(readme.firstRange(of: ", with the JSON of `Formats`, need no system"))
        let sentence = readme[..<end.lowerBound].split(separator: ". ").last!
        #expect(sentence.matches(of: /`(?<name>\w+)`/).map(\.name) == folders)
    }

    @Test func codeIsWhatIsNeitherCommentNorText() {
        let text = #"a = "B \(c("D") + "\"E") F" // G"# + "\n" + #"h = """"# + "\nI \"J\" \\(k)\n\"\"\"\n"
        #expect(Self.code(text).split { $0 == " " || $0 == "\n" } == ["a", "=", "c()", "+", "h", "=", "k"])
    }
}
