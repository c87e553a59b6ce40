import Foundation
import Testing

@testable import FastWeights

@Suite struct FilesTests {
    private func fault<T>(_ body: () throws(FileError) -> T) -> FileError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    private func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test(arguments: [0, 1, 1 << 20, (1 << 20) + 1, 3_000_000])
    func readsBackWhatItWrites(count: Int) throws {
        try TemporaryFolder.with { directory in
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            try Files.writeAtomically(bytes, to: "\(directory)/é file.bin")
            try expectSame(Files.read("\(directory)/é file.bin"), bytes)
            #expect(try names(in: directory) == ["é file.bin"])
        }
    }

    #if !os(Windows)
        /// What is no file is written to, not replaced.
        @Test func aPipeStaysAPipe() throws {
            try TemporaryFolder.with { directory in
                let path = "\(directory)/pipe"
                try #require(mkfifo(path, 0o600) == 0)
                // With a reader there, the writer has none to wait for.
                let pipe = open(path, O_RDWR | O_NONBLOCK)
                defer { close(pipe) }
                try Files.checkWritable(path, room: 1 << 20)
                try Files.writeAtomically([1, 2, 3], to: path)
                var bytes = [UInt8](repeating: 0, count: 8)
                #expect(read(pipe, &bytes, 8) == 3 && bytes[..<3] == [1, 2, 3])
                #expect(try names(in: directory) == ["pipe"])
                let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
                #expect(type != .typeRegular)
            }
        }
    #endif

    @Test func replacesAFileThatIsThere() throws {
        try TemporaryFolder.with { directory in
            let path = "\(directory)/a"
            try Files.writeAtomically([1, 2, 3, 4], to: path)
            try Files.writeAtomically([5], to: path)
            #expect(try Files.read(path) == [5])
            #expect(try names(in: directory) == ["a"])
        }
    }

    @Test func aFailedWriteLeavesWhatWasThere() throws {
        try TemporaryFolder.with { directory in
            // A directory that is not empty cannot be replaced by a file, so the last step fails.
            try Files.createDirectory("\(directory)/target")
            try Files.writeAtomically([1], to: "\(directory)/target/kept")
            let error = fault { () throws(FileError) in try Files.writeAtomically([2], to: "\(directory)/target") }
            #expect(error?.attempt == "write")
            #expect(error?.path == "\(directory)/target")
            #expect(try names(in: directory) == ["target"])
            #expect(try Files.read("\(directory)/target/kept") == [1])
        }
    }

    @Test func writingIntoNoDirectorySaysWhatToDo() throws {
        TemporaryFolder.with { directory in
            let path = "\(directory)/missing/a"
            let error = fault { () throws(FileError) in try Files.writeAtomically([1], to: path) }
            #expect(error?.description.hasPrefix("cannot write \(path): ") == true)
            #expect(error?.advice == "Create the directory it shall stand in first.")
            #expect(!Files.exists("\(directory)/missing"))
        }
    }

    @Test func whetherAPlaceCanBeWrittenShowsBeforeTheWork() throws {
        try TemporaryFolder.with { directory in
            try Files.writeAtomically([1], to: "\(directory)/there")
            for name in ["there", "new"] { try Files.checkWritable("\(directory)/\(name)") }
            #expect(try Files.list(directory) == ["there"])
            #expect(try Files.read("\(directory)/there") == [1])
            let error = fault { () throws(FileError) in try Files.checkWritable("\(directory)/none/new") }
            #expect(error?.path == "\(directory)/none/new")
            #expect(error?.advice == "Create the directory it shall stand in first.")
            let other = fault { () throws(FileError) in try Files.checkWritable(directory) }
            #expect(other?.advice == "Name a file, not a directory.")
        }
    }

    @Test func readingWhatIsNotThereSaysWhatToDo() throws {
        TemporaryFolder.with { directory in
            let error = fault { () throws(FileError) in try Files.read("\(directory)/a") }
            #expect(error?.attempt == "read" && error?.path == "\(directory)/a")
            #expect(error?.advice == "Check the path; it starts from the current directory.")
            #expect(fault { () throws(FileError) in try Files.read(directory) } != nil)
        }
    }

    @Test func createsDirectoriesAndThoseAbove() throws {
        try TemporaryFolder.with { directory in
            try Files.createDirectory("\(directory)/a/b/c")
            try Files.createDirectory("\(directory)/a/b/c")
            #expect(Files.exists("\(directory)/a/b/c"))
            #expect(!Files.exists("\(directory)/a/x"))
            try Files.writeAtomically([], to: "\(directory)/file")
            let error = fault { () throws(FileError) in try Files.createDirectory("\(directory)/file/below") }
            #expect(error?.attempt == "create the directory")
            let same = fault { () throws(FileError) in try Files.createDirectory("\(directory)/file") }
            #expect(same?.path == "\(directory)/file")
        }
    }

    @Test func listsFilesBelowSortedAndBySuffix() throws {
        try TemporaryFolder.with { directory in
            for folder in ["b/d", "a", "trap.st"] { try Files.createDirectory("\(directory)/\(folder)") }
            for file in ["z.st", "b/d/x.st", "b/y.st", "a/note.txt", "trap.st/in.st"] {
                try Files.writeAtomically([0], to: "\(directory)/\(file)")
            }
            #expect(try Files.list(directory, suffix: ".st") == ["b/d/x.st", "b/y.st", "trap.st/in.st", "z.st"])
            #expect(
                try Files.list(directory) == ["a/note.txt", "b/d/x.st", "b/y.st", "trap.st/in.st", "z.st"])
            #expect(try Files.list("\(directory)/a", suffix: ".st") == [])
            let error = fault { () throws(FileError) in try Files.list("\(directory)/none") }
            #expect(error?.attempt == "list the directory" && error?.path == "\(directory)/none")
        }
    }

    // MARK: Terminal rules

    @Test func colorNeedsATerminalThatWantsIt() {
        func allows(_ isInteractive: Bool, _ environment: [String: String]) -> Bool {
            Terminal.allowsColor(isInteractive: isInteractive) { environment[$0] }
        }
        #expect(allows(true, ["TERM": "xterm"]))
        #expect(allows(true, ["TERM": "xterm", "NO_COLOR": ""]))
        #expect(!allows(true, ["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(!allows(true, ["TERM": "dumb"]))
        #expect(!allows(false, ["TERM": "xterm"]))
    }

    @Test func environmentTellsWidthAndColors() {
        #expect(Terminal.declaredWidth { ["COLUMNS": "132"][$0] } == 132)
        // None of a width that would overflow where columns are counted.
        for text in ["0", "-5", "wide", "", "9223372036854775807"] {
            #expect(Terminal.declaredWidth { ["COLUMNS": text][$0] } == nil)
        }
        #expect(Terminal.declaredWidth { _ in nil } == nil)
        for text in ["truecolor", "24bit"] { #expect(Terminal.hasTrueColor { ["COLORTERM": text][$0] }) }
        #expect(!Terminal.hasTrueColor { ["COLORTERM": "256"][$0] })
        #expect(!Terminal.hasTrueColor { _ in nil })
    }
}
