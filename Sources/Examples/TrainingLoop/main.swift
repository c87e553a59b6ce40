import FastWeights

// A training loop of one's own: forward and backward passes, a loss, an optimizer and a schedule. A network learns to say at
// every step whether the sum of the numbers so far is above zero.
//
//     swift run -c release TrainingLoop

let (steps, batch, longest) = (400, 32, 12)
var random = Random(seed: 1)

/// Sequences of 4 to 12 numbers, [T, B, 1], and of each step whether the sum so far is above zero, [T, B]; -1 behind the end.
@MainActor func makeBatch() -> (input: [Float], lengths: [Int], labels: [Int]) {
    let lengths = (0..<batch).map { _ in 4 + random.below(longest - 3) }
    var input = [Float](repeating: 0, count: longest * batch)
    var labels = [Int](repeating: -1, count: longest * batch)
    for b in 0..<batch {
        var sum: Float = 0
        for t in 0..<lengths[b] {
            input[t * batch + b] = random.uniform(within: 1)
            sum += input[t * batch + b]
            labels[t * batch + b] = sum > 0 ? 1 : 0
        }
    }
    return (input, lengths, labels)
}

let network = Network(
    NetworkConfiguration(.numbers(1), [.stack(.lstm(24), layers: 2, dropout: 0.1), .dense(2)]), seed: 1)
let pass = NetworkPass(network)
let optimizer = Optimizer(.adam(weightDecay: 0.01), network.parameters, pass.gradients)
let schedule = Schedule.cosine.afterWarmUp(of: 20)
let loss = Loss.crossEntropy(labelSmoothing: 0.02)

for step in 0..<steps {
    let (input, lengths, labels) = makeBatch()
    let outputs = pass.forward(
        input, steps: longest, batch: batch, lengths: lengths, dropoutSeed: UInt64(step)
    ).outputs
    let (value, gradient) = loss(outputs, classes: labels)
    pass.gradients.clear()
    _ = pass.backward(gradient)
    optimizer.step(rate: 0.01 * schedule.factor(step: step, of: steps), clip: 1)
    if (step + 1) % 50 == 0 { print("step \(step + 1): loss \(value)") }
}

// Sequences that it has not seen.
let (input, lengths, labels) = makeBatch()
let outputs = network.run(input, steps: longest, batch: batch, lengths: lengths).outputs
let probabilities = softmax(outputs, classes: 2)
let counted = labels.indices.filter { labels[$0] >= 0 }
let right = counted.count { (probabilities[2 * $0 + 1] > 0.5) == (labels[$0] == 1) }
print("\(right) of \(counted.count) steps are right, \(100 * right / counted.count) %")
