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
#endif

// fuzz [--format NAME] [--count N] [--seed S] [--first N] [--fixtures FOLDER]
//
// Gives changed files to the readers of the library. Whatever a file holds, the reader must end, in success or in one of
// its typed errors, and may not allocate more than the file's size justifies. Every file depends on the seed and its
// number alone, so that one can be read again by itself.

var options = ["--format": "all", "--count": "1000000", "--seed": "1", "--first": "0", "--fixtures": "Fixtures"]
var arguments = Array(CommandLine.arguments.dropFirst())
while let name = arguments.first {
    guard options[name] != nil, arguments.count > 1 else {
        print("expected \(options.keys.sorted().joined(separator: ", ")) with a value, found \(name)")
        exit(2)
    }
    options[name] = arguments[1]
    arguments.removeFirst(2)
}
guard let count = Int(options["--count"]!), let first = Int(options["--first"]!), let seed = UInt64(options["--seed"]!),
    count >= 0, first >= 0
else {
    print("expected whole numbers for --count, --first and --seed")
    exit(2)
}
// Checkpoints are read from a path; in memory, where there is such a folder, nothing waits for a disk.
let memory =
    FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : FileManager.default.temporaryDirectory.path
let folder = "\(memory)/FastWeightsFuzz-\(UUID().uuidString)"
do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
    print("cannot make the folder \(folder): \(error)")
    exit(2)
}
let readers =
    Reader.all { path in
        let file = "\(options["--fixtures"]!)/\(path)"
        guard let data = FileManager.default.contents(atPath: file) else {
            print("cannot read \(file): run this in the project's folder or name it with --fixtures")
            exit(2)
        }
        return Array(data)
    } + [Reader.checkpoint(folder: folder)]
let chosen = readers.filter { options["--format"] == "all" || options["--format"] == "\($0.name)" }
guard !chosen.isEmpty else {
    print("expected --format all or one of \(readers.map { "\($0.name)" }.joined(separator: ", "))")
    exit(2)
}

var faults = 0
for reader in chosen {
    var campaign = Campaign(reader, seed: seed)
    let start = Watchdog.seconds
    campaign.run(first..<first + count)
    let time = Int((Watchdog.seconds - start).rounded())
    faults += campaign.faults
    let refused = campaign.refusals.values.reduce(0, +)
    let kinds = campaign.refusals.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
    print(
        "\(reader.name): \(count) files, \(campaign.accepted) read, \(refused) refused, \(campaign.faults) faults; \(time) s"
    )
    print("  refused for \(kinds.joined(separator: ", "))")
    let memory = AllocationMeter.isAvailable ? "\(campaign.peak) bytes at most" : "not measured"
    print(
        "  memory \(memory), \(campaign.peakPerByte) a byte beyond \(reader.free); slowest \(campaign.slowest) s"
    )
    fflush(nil)  // where the output is a file, each reader's lines as it is done
}
try? FileManager.default.removeItem(atPath: folder)
exit(faults == 0 ? 0 : 1)
