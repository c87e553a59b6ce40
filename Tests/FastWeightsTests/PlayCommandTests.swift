import Testing

@testable @_spi(Laboratory) import FastWeights

/// Agents in files, and an episode as `fastweights play` shows it.
@Suite struct PlayCommandTests {
    @Test func framesShowWhatIsSeenAndWhatThereIs() throws {
        let task = try Catch(size: 4, visibleFrames: 1)
        var episode = Catch.Episode(task, column: 3, paddle: 1)
        let decision = CatchAgent.Decision(action: .right, probabilities: [0.1, 0.25, 0.65], value: -0.5)
        #expect(
            CatchFrame(episode: episode, decision: decision).text == """
                Frame 0 of 3
                it sees  there is
                +----+  +----+
                |   o|  |   o|
                |    |  |    |
                |    |  |    |
                | == |  | == |
                +----+  +----+
                left 0.10  stay 0.25  right 0.65   value -0.50   goes right

                """)
        episode.advance(.right)
        let stays = CatchAgent.Decision(action: .stay, probabilities: [0, 1, 0], value: 0.125)
        #expect(
            CatchFrame(episode: episode, decision: stays).text == """
                Frame 1 of 3, blank
                it sees  there is
                +----+  +----+
                |    |  |    |
                |    |  |   o|
                |    |  |    |
                |    |  |  ==|
                +----+  +----+
                left 0.00  stay 1.00  right 0.00   value +0.12   stays

                """)
        episode.advance(.stay)
        episode.advance(.stay)
        let last = CatchFrame(episode: episode, decision: nil).text
        #expect(last.hasSuffix("|    |  |  =o|\n+----+  +----+\ncaught\n"))
        #expect(last.split(separator: "\n").count == CatchFrame.rows(task))
        let rows = CatchFrame(episode: episode, decision: decision).text.split(separator: "\n")
        #expect(rows.map(\.count).max() == CatchFrame.columns(task))
        var missed = Catch.Episode(task, column: 3, paddle: 0)
        for _ in 0..<3 { missed.advance(.left) }
        #expect(CatchFrame(episode: missed, decision: nil).text.hasSuffix("missed by 2 columns\n"))
    }

    /// A player decides as a block of episodes does.
    @Test(arguments: ActorCriticTests.cells)
    func aPlayerPlaysAsABlock(cell: Cell) throws {
        let agent = try ActorCriticTests.agent(cell)
        let block = EpisodeBlock(agent.task, ActorCriticTests.weights(agent))
        let episodes = agent.task.allEpisodes[3..<17]
        block.begin(episodes)
        block.play(.greedy)
        for (lane, episode) in episodes.enumerated() {
            let player = CatchPlayer(agent, episode, isGreedy: true)
            for t in 0..<agent.task.decisions {
                let decision = player.advance()
                #expect(decision.action == block.action(t, lane: lane))
                #expect(decision.probabilities[decision.action.rawValue] == decision.probabilities.max())
                #expect(abs(decision.probabilities.reduce(0, +) - 1) < 1e-12)
                #expect(abs(decision.value - Double(block.outputs(t)[3][lane])) < 1e-5)
            }
            #expect(player.episode.isOver && player.episode == block.episodes[lane])
        }
    }

    @Test func trainAndPlay() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/agent.safetensors"
            let words = [
                "train", "--task", "catch", "--size", "5", "--visible", "2", "--episodes", "500", "--hidden", "7",
                "--output", path,
            ]
            #expect(CommandLineTool.run(arguments: words) == 0)
            let agent = try CatchAgent(path: path)
            #expect(
                agent.task == (try Catch(size: 5, visibleFrames: 2))
                    && agent.network.parameters["weight_hh_l0"].count == 7 * 7)
            let bytes = agent.serialized()
            try expectSame(CatchAgent(bytes: bytes, source: "copy").serialized(), bytes)
            #expect(CommandLineTool.run(arguments: ["play", "--model", path, "--seed", "3"]) == 0)
            #expect(CommandLineTool.run(arguments: ["play", "--model", path, "--greedy"]) == 0)
            #expect(CommandLineTool.run(arguments: ["play"]) == 2)
            #expect(CommandLineTool.run(arguments: ["play", "--model", folder + "/none"]) == 1)
            #expect(CommandLineTool.run(arguments: words + ["--visible", "6"]) == 2)
            #expect(CommandLineTool.run(arguments: words + ["--model", "a-lstm"]) == 2)
            #expect(CommandLineTool.run(arguments: words + ["--model", "gru", "--fast-rate", "0.1"]) == 2)
        }
    }

    @Test func filesThatAreNoAgentsAreRefused() throws {
        let task = try Catch(size: 5, visibleFrames: 2)
        func message(_ input: Int, _ head: TestHead, _ task: JSON?) -> String {
            let network = Network(
                NetworkConfiguration.stack(.gru, input: input, hidden: 3, head: head), seed: 1)
            let metadata = task.map { [("task", $0.serialized())] } ?? []
            let error = #expect(throws: WeightsError.self) {
                try CatchAgent(bytes: network.serialized(metadata: metadata), source: "file")
            }
            return error.map { "\($0)" } ?? ""
        }
        #expect(message(25, .perStep(4), nil).contains("file: not an agent of Catch"))
        #expect(message(25, .perStep(4), ["name": "catch", "size": 2]).contains("not an agent of Catch"))
        let wanted = "an agent for a screen of 5 rows has one recurrent layer of 25 inputs and 4 outputs a step; found "
        let gru = "numbers per step → gru(hidden 3, bias true) → "
        #expect(message(24, .perStep(4), task.json).contains(wanted + "24 \(gru)dense(outputs 4, bias true)"))
        #expect(message(25, .perStep(3), task.json).contains(wanted + "25 \(gru)dense(outputs 3, bias true)"))
        #expect(
            message(25, .perSequence(4), task.json).contains(
                wanted + "25 \(gru)last_step → dense(outputs 4, bias true)"))
    }
}
