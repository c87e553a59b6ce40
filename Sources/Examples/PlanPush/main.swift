// Plans a push by trying actions: of many plans takes the one whose imagined last frame is nearest to a goal.
//
//     swift run -c release PlanPush MODEL CLIP.npy [PLANS]
//
// MODEL is what `fastweights train --task video` wrote. CLIP.npy are frames [T, C, H, W] from 0 to 1: the first ones, as many as
// the model's context, are what was seen, the last one is the goal, as many steps away as there are frames between.
import FastWeights
import Foundation

struct Problem: Error, CustomStringConvertible {
    let description: String
}

/// Mean squared difference of two frames.
func distance(_ x: [Float], _ y: [Float]) -> Double {
    zip(x, y).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(x.count)
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    guard words.count >= 2 else { throw Problem(description: "expected MODEL CLIP.npy [PLANS]") }
    let model = try VideoModel(path: words[0])
    let (clip, sizes) = (try NumPyArray(path: words[1]), model.configuration)
    let maps = [sizes.channels, sizes.height, sizes.width]
    guard sizes.actions > 0, clip.shape.count == 4, Array(clip.shape[1...]) == maps, clip.shape[0] > sizes.context
    else {
        throw Problem(
            description: "\(clip.source): expected more than \(sizes.context) frames of \(maps) and a model with "
                + "actions, found \(clip.shape) and \(sizes.actions) numbers an action")
    }
    let (numbers, count) = (try clip.floats, maps.reduce(1, *))
    func frame(_ t: Int) -> [Float] { Array(numbers[t * count..<(t + 1) * count]) }
    let (goal, steps) = (frame(clip.shape[0] - 1), clip.shape[0] - sizes.context)

    // What was seen: every plan goes on from here.
    let seen = VideoPredictor(model)
    for t in 0..<sizes.context - 1 { seen.step(frame(t)) }

    var random = Random(seed: 1)
    var best: (actions: [[Float]], distance: Double)?
    for _ in 0..<(words.count > 2 ? Int(words[2]) ?? 100 : 100) {
        // One direction for the whole plan: a push.
        let action = (0..<sizes.actions).map { _ in random.uniform(within: 1) }
        let plan = [[Float]](repeating: action, count: steps)
        let predictor = seen.fork()
        predictor.step(frame(sizes.context - 1), action: action)
        let last = predictor.lookAhead(Array(plan.dropFirst())).last ?? predictor.prediction
        let found = distance(last, goal)
        if found < best?.distance ?? .infinity { best = (plan, found) }
    }
    guard let best else { throw Problem(description: "expected at least one plan to try") }
    print("mean square to the goal, from the last frame seen:", distance(frame(sizes.context - 1), goal))
    print("from the last frame of the best plan:", best.distance)
    print("its action:", best.actions[0].map { String(format: "%.3f", $0) }.joined(separator: " "))
} catch {
    FileHandle.standardError.write(Data("PlanPush: \(error)\n".utf8))
    exit(1)
}
