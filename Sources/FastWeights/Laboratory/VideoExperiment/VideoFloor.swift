/// A figure that the experiment set out to reach, in decibels of PSNR, and what came out.
struct VideoFloor: Equatable {
    let name: String
    let value: Double
    let bound: Double
    /// Whether the bound is the largest that is allowed rather than the smallest.
    var isCeiling = false

    var isMet: Bool { isCeiling ? value <= bound : value >= bound }

    /// The sentence on one that is missed.
    var sentence: String {
        let asked = isCeiling ? "it should be at most" : "it should be at least"
        return "Missed: \(name) is \(Self.text(value)) dB, and \(asked) \(Self.text(bound)) dB."
    }

    fileprivate static func text(_ value: Double) -> String { FixedPoint.text(value, decimals: 2) }
}

extension VideoSection {
    /// What the quick setting set out to reach, mean over seeds, as far as its models are there; none of other settings.
    var floors: [VideoFloor] {
        guard setting.name == "quick", let cdna = row("cdna") else { return [] }
        let early = 1...8
        func psnr(_ row: Row, _ step: Int, _ objects: PushWorld.Objects = .novel) -> Double {
            row.mean(.psnr, objects, at: step).mean
        }
        var floors = [(1, 31.0), (4, 25), (8, 22.8)].map { step, bound in
            VideoFloor(name: "CDNA at step \(step), novel objects", value: psnr(cdna, step), bound: bound)
        }
        for (name, bounds) in [("paint", [(1, 5.0), (8, 1.5)]), ("cdna-without-actions", [(1, 2.5), (8, 1)])] {
            guard let other = row(name) else { continue }
            floors += bounds.map { step, bound in
                VideoFloor(
                    name: "CDNA less \(other.model.title) at step \(step), novel objects",
                    value: psnr(cdna, step) - psnr(other, step), bound: bound)
            }
        }
        let lead = early.map { (step: $0, value: psnr(cdna, $0) - copied(.psnr, .novel, at: $0)) }
        let least = lead.min { $0.value < $1.value }!
        floors.append(
            VideoFloor(
                name: "CDNA less a copy of the last frame, the least of steps 1 to 8, step \(least.step)",
                value: least.value, bound: 3))
        let apart = early.map { (step: $0, value: abs(psnr(cdna, $0, .seen) - psnr(cdna, $0))) }
        let most = apart.max { $0.value < $1.value }!
        floors.append(
            VideoFloor(
                name: "CDNA on seen less on novel objects, the most of steps 1 to 8, step \(most.step)",
                value: most.value, bound: 1, isCeiling: true))
        return floors
    }

    /// The floors as a table.
    var floorTable: TextTable {
        var table = TextTable(["What", "dB", "Bound", ""], alignments: [.left, .right, .right, .left])
        for floor in floors {
            table.add([
                floor.name, VideoFloor.text(floor.value),
                (floor.isCeiling ? "≤ " : "≥ ") + VideoFloor.text(floor.bound), floor.isMet ? "reached" : "missed",
            ])
        }
        return table
    }

    /// Sentences on what is missed, and on models that are not above the copy.
    var shortfalls: [String] {
        let missed = floors.filter { !$0.isMet }.map(\.sentence)
        let excuse = "These trainings were cut short; the bounds are for \(setting.wholeSteps) steps."
        return missed + (setting.isShort && !missed.isEmpty ? [excuse] : []) + notAboveCopy
    }
}
