import Foundation

/// A folder of a test's own, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("FastWeights-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { TemporaryFolder.remove(path) }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    /// Calls `body` with the path of a folder that is there as long as the call.
    static func with<Result>(_ body: (String) throws -> Result) rethrows -> Result {
        let folder = TemporaryFolder()
        return try withExtendedLifetime(folder) { try body(folder.path) }
    }

    /// The path of a file in it.
    func path(_ name: String) -> String { "\(path)/\(name)" }
}
