/// An agent of Catch: one recurrent layer over the screen, and on top of it at every step the logits of the three actions
/// and the value of the state.
final class CatchAgent: Sendable {
    let task: Catch
    let network: Network

    /// Left, stay, right, and V.
    static let outputs = Catch.Action.allCases.count + 1

    /// An agent with first values as `Network` gives them.
    init(_ cell: Cell, hidden: Int, task: Catch, seed: UInt64) {
        self.task = task
        network = Network(Self.configuration(cell.layer(hidden), task), seed: seed)
    }

    static func configuration(_ cell: Layer, _ task: Catch) -> NetworkConfiguration {
        NetworkConfiguration(.numbers(task.pixels), layers(cell))
    }

    /// The layers, with the names that the files of agents have had from the first.
    fileprivate static func layers(_ cell: Layer) -> [NamedLayer] {
        [NamedLayer(layer: cell, prefix: ""), NamedLayer(layer: .dense(outputs), prefix: "head.")]
    }

    /// The bytes of a model file: that of the network, with the task and `notes` of the training in the metadata.
    func serialized(notes: [(String, String)] = []) -> [UInt8] {
        network.serialized(metadata: [("task", task.json.serialized())] + notes)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    func write(to path: String, notes: [(String, String)] = []) throws {
        try Files.writeAtomically(serialized(notes: notes), to: path)
    }

    /// Reads a file that `write` made. Throws what is wrong with it.
    convenience init(path: String) throws { try self.init(bytes: try Files.read(path), source: path) }

    /// Reads a file whose content is `bytes`; `source` says where they came from.
    init(bytes: [UInt8], source path: String) throws {
        let file = try SafeTensors(bytes: bytes, source: path)
        func fail(_ problem: String) -> WeightsError { WeightsError(source: path, problems: [problem]) }
        guard let text = file.metadata["task"] else {
            throw fail("not an agent of Catch: the metadata has no task; `fastweights train --task catch` makes one")
        }
        do { task = try Catch(json: try JSON(parsing: Array(text.utf8))) } catch {
            throw fail("not an agent of Catch: \(error); `fastweights train --task catch` makes one")
        }
        network = try Network(file)
        let found = network.configuration
        guard let cell = found.layers.first, cell.kind.cell != nil, found.named == Self.layers(cell),
            found.input == .numbers(task.pixels)
        else {
            throw fail(
                "an agent for a screen of \(task.size) rows has one recurrent layer of \(task.pixels) inputs and \(Self.outputs) outputs a step; found \(found.summary)"
            )
        }
    }

    /// How an agent stands to the frame it has just seen.
    struct Decision: Sendable, Equatable {
        let action: Catch.Action
        /// Of left, stay and right.
        let probabilities: [Double]
        /// V, the reward it expects.
        let value: Double
    }
}

extension CatchAgent {
    /// A stream of the network, which has no layer that cannot run a step at a time.
    fileprivate var stream: NetworkStream {
        do { return try NetworkStream(network) } catch { misuse(error.description) }
    }
}

/// An agent that plays one episode, a frame at a time.
final class CatchPlayer {
    private(set) var episode: Catch.Episode
    private let stream: NetworkStream
    private var random: Random
    private let isGreedy: Bool

    /// Begins an episode drawn with `seed`; the agent draws what it does from its probabilities or, if greedy, does what is
    /// most probable.
    init(_ agent: CatchAgent, seed: UInt64, isGreedy: Bool) {
        random = Random(seed: seed, stream: 9)
        episode = agent.task.episode(&random)
        stream = agent.stream
        self.isGreedy = isGreedy
    }

    /// Plays `episode` in place of a drawn one.
    init(_ agent: CatchAgent, _ episode: Catch.Episode, isGreedy: Bool, seed: UInt64 = 1) {
        (self.episode, self.isGreedy) = (episode, isGreedy)
        random = Random(seed: seed, stream: 9)
        stream = agent.stream
    }

    /// Looks at the frame and decides; the episode goes on to the next frame. Traps where it is over.
    func advance() -> CatchAgent.Decision {
        stream.step(episode.observation)
        let output = stream.output
        let actions = Catch.Action.allCases
        let largest = output.prefix(actions.count).max() ?? 0
        let powers = actions.map { Double(Lanes(repeating: output[$0.rawValue] - largest).exponential()[0]) }
        let sum = powers.reduce(0, +)
        let probabilities = powers.map { $0 / sum }
        var action = Catch.Action.right
        if isGreedy {
            action = actions.first { output[$0.rawValue] == largest } ?? .stay
        } else {
            var left = random.uniform()
            for candidate in actions {
                left -= probabilities[candidate.rawValue]
                if left < 0 {
                    action = candidate
                    break
                }
            }
        }
        episode.advance(action)
        return CatchAgent.Decision(
            action: action, probabilities: probabilities, value: Double(output[actions.count]))
    }
}
