@_spi(Laboratory) import FastWeights

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Reader {
    /// A training of a text that goes on from the file: the reader of checkpoints as a program meets it.
    ///
    /// Its seeds are checkpoints of the beginning, of the middle and of the end. What the training itself takes is free.
    static func checkpoint(folder: String) -> Reader {
        let path = "\(folder)/checkpoint"
        let steps = 4
        let seeds = [0, 1, 2, 3, steps].map { stop -> [UInt8] in
            try? FileManager.default.removeItem(atPath: path)
            var left = stop
            _ = try? training(path, steps).run(shouldStop: {
                left -= 1
                return left < 0
            })
            return FileManager.default.contents(atPath: path).map { Array($0) } ?? []
        }
        return Reader(
            name: "checkpoint", seeds: seeds,
            words: modelWords + ["null", "1e9", "\"curve\":[]", "[2,0.5,0.5,0.5]", "\"is_over\":true", "\"steps\":3"],
            allowance: 160, free: 1 << 18,
            open: { bytes in
                guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { throw NoFolder() }
                let outcome = try training(path, steps).run()
                return { try check(outcome.steps <= steps) }
            },
            inside: [metadata(["state"]), metadata(["identity"]), safeTensorsHeader].map { way in
                { bytes, change in seal(way(bytes, change)) }
            }, seal: seal)
    }

    /// The folder for checkpoints cannot be written.
    private struct NoFolder: Error {}

    private static func training(_ path: String, _ steps: Int) throws -> Trainer {
        let content = Array("to be or not to be, that is the question".utf8)
        let model = TextModel([.gru(2)], vocabulary: TextVocabulary(of: content), seed: 1)
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery) = (steps, 2, 2)
        options.checkpoint = CheckpointOptions(path: path, every: 100, resumes: true)
        return Trainer(model, text: try TrainingText(content, model.vocabulary), window: 5, options: options)
    }

    /// Puts the checksum of a checkpoint in its place: the CRC-32 of the file with eight zeros there, in hexadecimal.
    private static func seal(_ bytes: [UInt8]) -> [UInt8] {
        let start = 8 + #"{"__metadata__":{"crc32":""#.utf8.count
        guard bytes.count >= start + 8 else { return bytes }
        var bytes = bytes
        bytes.replaceSubrange(start..<start + 8, with: "00000000".utf8)
        // A zip archive says the same of its entry, behind 14 bytes.
        let sum = ZipArchive.serialize([("", bytes)])[14..<18].reversed()
        let digits = "0123456789abcdef".utf8.map { $0 }
        bytes.replaceSubrange(start..<start + 8, with: sum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        return bytes
    }
}
