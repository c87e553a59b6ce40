#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#elseif os(Windows)
    import CRT
    import WinSDK
#endif

/// What could not be done with a file or directory, and why.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or directory.
    public var path: String
    /// What was attempted: "read", "write".
    public var attempt: String
    /// What the operating system says.
    public var reason: String
    /// What to do about it.
    public var advice: String?

    /// All of it as a sentence.
    public var description: String {
        "cannot \(attempt) \(path): \(reason)." + (advice.map { " " + $0 } ?? "")
    }
}

/// Everything this package does with the file system. Paths are relative to the current directory or absolute.
enum Files {
    /// The whole content of the file at `path`.
    static func read(_ path: String) throws(FileError) -> [UInt8] {
        guard let file = open(path, mode: "rb") else { throw systemError("read", path) }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            content.append(contentsOf: chunk[..<count])
            if count < chunk.count { break }
        }
        guard ferror(file) == 0 else { throw systemError("read", path) }
        return content
    }

    /// Writes a file so that `path` at every moment holds its old content or the whole new one, even if the power fails.
    ///
    /// The bytes go to a temporary file beside `path`, are flushed to the disk, and the file is renamed. If anything
    /// fails, the temporary file is removed and what stood at `path` stays. A symbolic link at `path` is replaced.
    ///
    /// A device or a pipe at `path` is not replaced but written to.
    static func writeAtomically(_ bytes: [UInt8], to path: String) throws(FileError) {
        guard !isStream(path) else { return try writeInPlace(bytes, to: path) }
        let (temporary, file) = try openBeside(path)
        var isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count && flush(file)
        var fault = errno
        if fclose(file) != 0, isWritten {
            isWritten = false
            fault = errno
        }
        guard isWritten else {
            remove(temporary)
            throw systemError("write", path, fault)
        }
        guard replace(path, by: temporary) else {
            fault = errno
            remove(temporary)
            throw systemError("write", path, fault)
        }
    }

    private static func writeInPlace(_ bytes: [UInt8], to path: String) throws(FileError) {
        guard let file = open(path, mode: "wb") else { throw systemError("write", path) }
        var isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
        var fault = errno
        if fclose(file) != 0, isWritten {
            isWritten = false
            fault = errno
        }
        guard isWritten else { throw systemError("write", path, fault) }
    }

    /// Throws what `writeAtomically` would throw of a place that cannot be written, or has no `room` for so many bytes, so
    /// that long work whose result shall go there need not begin. A file that stands there stays.
    static func checkWritable(_ path: String, room: Int = 0) throws(FileError) {
        guard !isDirectory(path) else { throw systemError("write", path, EISDIR) }
        guard !isStream(path) else { return }
        let (temporary, file) = try openBeside(path)
        defer { remove(temporary) }
        let zeros = [UInt8](repeating: 0, count: min(room, 1 << 16))
        var (rest, hasRoom) = (room, true)
        while rest > 0 && hasRoom {
            let count = min(rest, zeros.count)
            hasRoom = fwrite(zeros, 1, count, file) == count
            rest -= count
        }
        hasRoom = hasRoom && flush(file)
        let fault = errno
        fclose(file)
        guard hasRoom else { throw systemError("write", path, fault) }
    }

    /// Creates the directory at `path` and those above it; one that is there already is left as it is.
    static func createDirectory(_ path: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw fileError("create the directory", path, error)
        }
    }

    /// Whether two paths are the same place, however they are written and through whatever links.
    static func isSame(_ path: String, _ other: String) -> Bool { place(path) == place(other) }

    /// The path without links; what is not there yet stands in a folder that may be one.
    private static func place(_ path: String) -> String {
        let url = URL(fileURLWithPath: path)
        if exists(path) { return url.resolvingSymlinksInPath().standardizedFileURL.path }
        return url.deletingLastPathComponent().resolvingSymlinksInPath().appendingPathComponent(url.lastPathComponent)
            .standardizedFileURL.path
    }

    /// Whether a file or directory stands at `path`.
    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// The files below `directory` whose names end with `suffix`: sorted paths relative to it, with "/" between parts.
    static func list(_ directory: String, suffix: String = "") throws(FileError) -> [String] {
        let entries: [String]
        do {
            entries = try FileManager.default.subpathsOfDirectory(atPath: directory)
        } catch {
            throw fileError("list the directory", directory, error)
        }
        return entries.filter { $0.hasSuffix(suffix) && !isDirectory("\(directory)/\($0)") }.map(withSlashes).sorted()
    }

    /// Whether a directory stands at `path`.
    static func isDirectory(_ path: String) -> Bool {
        #if canImport(Darwin)
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
        #else
            var isDirectory = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
        #endif
    }
}

// MARK: - Where the operating systems differ

#if os(Windows)
    extension Files {
        private typealias Stream = UnsafeMutablePointer<FILE>

        private static func open(_ path: String, mode: String) -> Stream? {
            path.withCString(encodedAs: UTF16.self) { path in
                mode.withCString(encodedAs: UTF16.self) { mode in _wfopen(path, mode) }
            }
        }

        private static func flush(_ file: Stream) -> Bool {
            fflush(file) == 0 && _commit(_fileno(file)) == 0
        }

        private static func replace(_ path: String, by temporary: String) -> Bool {
            temporary.withCString(encodedAs: UTF16.self) { temporary in
                path.withCString(encodedAs: UTF16.self) { path in
                    let flags = DWORD(MOVEFILE_REPLACE_EXISTING) | DWORD(MOVEFILE_WRITE_THROUGH)
                    if MoveFileExW(temporary, path, flags) { return true }
                    _ = _set_errno(EACCES)
                    return false
                }
            }
        }

        /// Removes a file, if it is there.
        static func remove(_ path: String) {
            _ = path.withCString(encodedAs: UTF16.self) { _wremove($0) }
        }

        private static func isStream(_ path: String) -> Bool { false }

        private static func withSlashes(_ path: String) -> String {
            String(path.map { $0 == "\\" ? "/" : $0 })
        }
    }
#else
    extension Files {
        #if canImport(Musl) || canImport(Android)
            private typealias Stream = OpaquePointer
        #else
            private typealias Stream = UnsafeMutablePointer<FILE>
        #endif

        private static func open(_ path: String, mode: String) -> Stream? {
            fopen(path, mode)
        }

        private static func flush(_ file: Stream) -> Bool {
            fflush(file) == 0 && fsync(fileno(file)) == 0
        }

        private static func replace(_ path: String, by temporary: String) -> Bool {
            rename(temporary, path) == 0
        }

        /// Removes a file, if it is there.
        static func remove(_ path: String) {
            unlink(path)
        }

        /// Whether something stands at `path` that is neither a file nor a directory, as /dev/stdout or a named pipe.
        private static func isStream(_ path: String) -> Bool {
            var status = stat()
            guard stat(path, &status) == 0 else { return false }
            return ![0o100000, 0o040000].contains(UInt32(status.st_mode) & 0o170000)
        }

        private static func withSlashes(_ path: String) -> String { path }
    }
#endif

extension Files {
    /// A new file beside `path`, under a name that no other has.
    private static func openBeside(_ path: String) throws(FileError) -> (path: String, file: Stream) {
        let temporary = "\(path).\(String(UInt64.random(in: 0 ... .max), radix: 16)).tmp"
        guard let file = open(temporary, mode: "wbx") else { throw systemError("write", path) }
        return (temporary, file)
    }
}

// MARK: - Errors

extension Files {
    private static func systemError(_ attempt: String, _ path: String, _ code: Int32 = errno) -> FileError {
        let advice: String? =
            switch code {
            case ENOENT where attempt != "write" && attempt != "create the directory":
                "Check the path; it starts from the current directory."
            case ENOENT, ENOTDIR: "Create the directory it shall stand in first."
            case EACCES, EPERM, EROFS: "Check the permissions or choose another place."
            case EISDIR: "Name a file, not a directory."
            case ENOSPC: "Free some space or choose another disk."
            default: nil
            }
        return FileError(path: path, attempt: attempt, reason: String(cString: strerror(code)), advice: advice)
    }

    /// Foundation's error, with the operating system's own words where it carries them.
    private static func fileError(_ attempt: String, _ path: String, _ error: any Error) -> FileError {
        let cause = (error as? CocoaError)?.underlying
        if let code = (cause as? POSIXError)?.code { return systemError(attempt, path, code.rawValue) }
        let reason =
            switch (error as? CocoaError)?.code {
            case .fileNoSuchFile?, .fileReadNoSuchFile?: "there is no such directory"
            case .fileWriteFileExists?: "a file of this name stands in the way"
            case .fileReadNoPermission?, .fileWriteNoPermission?: "permission denied"
            default: "\(cause ?? error)"
            }
        return FileError(path: path, attempt: attempt, reason: reason, advice: "Check the path and its permissions.")
    }
}
