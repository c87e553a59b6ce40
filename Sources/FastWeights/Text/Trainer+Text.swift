extension Trainer {
    /// A trainer of a text model: `options.batch` streams of the text side by side, a window of `window` tokens each step.
    ///
    /// The state goes on from window to window, gradients end at a window's beginning (truncated back-propagation through
    /// time). The validation error is the loss, nats a token on the text held out; over log 2 it is bits. Traps unless
    /// `window` is from 1 to 65,536, on a text of another vocabulary, and on options that cannot be, among them a loss that is
    /// not the plain cross-entropy.
    public convenience init(_ model: TextModel, text: TrainingText, window: Int = 64, options: TrainingOptions) {
        require((1...1 << 16).contains(window), "a window has from 1 to \(1 << 16) tokens, found \(window)")
        text.check(model)
        if let loss = options.loss {
            require(
                loss == .crossEntropy(), "a text is learned by the plain cross-entropy, the loss nil; found \(loss)")
        }
        let period = model.network.definition.period
        require(
            window % period == 0,
            "a window of fast weights with a schedule is of whole periods of its \(period) steps, found \(window) tokens"
        )
        func summary(_ data: SequenceData) -> JSON {
            .string("\(data.longest) tokens, checksum \(String(data.checksum, radix: 16))")
        }
        self.init(
            model.network.parameters, options,
            epoch: Epoch(
                examples: TextStreams.windows(window, tokens: text.training.longest, streams: options.batch), perStep: 1
            ),
            identity: [
                ("network", .string(model.network.configuration.json.serialized())),
                ("window", .number(Double(window))), ("training text", summary(text.training)),
                ("text held out", summary(text.heldOut)),
            ]
        ) { team in
            TextSource(model, text, window: window, streams: options.batch, team, options: options)
        }
    }
}
