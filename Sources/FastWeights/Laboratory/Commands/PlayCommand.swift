extension Command {
    /// `fastweights play`.
    static let play = Command(
        name: "play", summary: "Show an agent of Catch play an episode, frame by frame",
        discussion: """
            Shows what the agent sees beside what there is: the ball, o, and the paddle, ==.
            Below stand the probabilities of what it may do, the reward it expects, from -1
            to 1, and what it does. In a terminal that has room for them the frames follow
            one another in place.
            """,
        options: [
            .model(help: "A file written by train --task catch"),
            Option(
                name: "speed", placeholder: "X", kind: .number(0...1000), defaultValue: "4",
                help: "Frames a second in a terminal; 0 does not wait"),
            Option(name: "greedy", kind: .flag, help: "Do what is most probable, instead of drawing it"),
            .seed,
        ],
        examples: ["play --model agent.safetensors", "play --model agent.safetensors --seed 7 --speed 10"]
    ) { arguments in
        let agent = try CatchAgent(path: try arguments.model())
        let player = CatchPlayer(agent, seed: arguments.unsigned("seed"), isGreedy: arguments.flag("greedy"))
        let isMoving =
            Terminal.allowsColor(.output)
            && Terminal.holds(
                rows: CatchFrame.rows(agent.task) + 1, columns: CatchFrame.columns(agent.task), .output)
        let speed = arguments.number("speed")
        Interruption.install()
        var isFirst = true
        while !Interruption.requested {
            let episode = player.episode
            let frame = CatchFrame(episode: episode, decision: episode.isOver ? nil : player.advance())
            if isMoving {
                // Back to the first row, and each row cleared before it is written.
                let back = isFirst ? "" : "\u{1B}[\(CatchFrame.rows(agent.task))A"
                Terminal.write(back + frame.text.split(separator: "\n").map { "\u{1B}[K\($0)\n" }.joined())
            } else {
                Terminal.write((isFirst ? "" : "\n") + frame.text)
            }
            isFirst = false
            if episode.isOver { break }
            if isMoving, speed > 0 { Terminal.pause(seconds: 1 / speed) }
        }
        return Interruption.requested ? 130 : 0
    }
}
