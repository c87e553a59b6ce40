import FastWeights

/// Many changed files given to one reader.
struct Campaign {
    let reader: Reader
    let seed: UInt64

    private(set) var accepted = 0
    /// How many files each kind of error refused.
    private(set) var refusals: [String: Int] = [:]
    private(set) var faults = 0
    /// The most memory a file took, and the most for each of its bytes beyond what is free.
    private(set) var peak = 0
    private(set) var peakPerByte = 0.0
    /// The most processor time a file took, in seconds.
    private(set) var slowest = 0.0

    init(_ reader: Reader, seed: UInt64) {
        self.reader = reader
        self.seed = seed
    }

    /// Reads the files of these numbers; each depends on the seed and its number alone.
    mutating func run(_ indices: Range<Int>) {
        Watchdog.start(format: reader.name, seed: seed)
        // What the library makes once, tables and the like, is no file's.
        for bytes in reader.seeds + [[], [0], Array("text".utf8)] { _ = try? reader.open(bytes)() }
        let words = reader.words.map { Array($0.utf8) }
        for index in indices {
            Watchdog.begin(index)
            read(file(index, words), index)
        }
    }

    /// A seed file changed: a third anywhere, a third behind its lengths, a third with its checksums made right again.
    private func file(_ index: Int, _ words: [[UInt8]]) -> [UInt8] {
        var mutator = Mutator(random: Random(seed: seed, stream: UInt64(index)), words: words)
        let original = reader.seeds[mutator.random.below(reader.seeds.count)]
        let other = reader.seeds[mutator.random.below(reader.seeds.count)]
        switch mutator.random.below(3) {
        case 0: return mutator.mutate(original, with: other)
        case 1:
            let way = reader.inside.count > 1 ? mutator.random.below(reader.inside.count) : 0
            return reader.inside[way](original) { mutator.mutate($0, with: other) }
        default: return reader.repaired(mutator.mutate(original, with: other))
        }
    }

    private mutating func read(_ bytes: [UInt8], _ index: Int) {
        let reader = reader
        var outcome: Result<() throws -> Void, any Error>?
        let start = Watchdog.seconds
        let taken = AllocationMeter.peak { outcome = Result { try reader.open(bytes) } }
        slowest = max(slowest, Watchdog.seconds - start)
        peak = max(peak, taken)
        peakPerByte = max(peakPerByte, Double(taken - reader.free) / Double(max(1, bytes.count)))
        if taken > reader.allowance * bytes.count + reader.free {
            fault(index, "allocates \(taken) bytes for a file of \(bytes.count)")
        }
        do {
            try outcome?.get()()
            accepted += 1
        } catch {
            refusals[Self.kind(of: error), default: 0] += 1
            if !Reader.isTyped(error) { fault(index, "ends in \(error)") }
        }
    }

    private mutating func fault(_ index: Int, _ problem: String) {
        faults += 1
        guard faults <= 10 else { return }
        print("file \(index) \(problem): --format \(reader.name) --seed \(seed) --first \(index) --count 1")
    }

    private static func kind(of error: any Error) -> String {
        switch error {
        case let error as FormatError: "\(error.reason)"
        case is WeightsError: "weights"
        case TrainingError.checkpoint: "checkpoint"
        case TrainingError.diverged: "divergence"
        default: "\(type(of: error))"
        }
    }
}
