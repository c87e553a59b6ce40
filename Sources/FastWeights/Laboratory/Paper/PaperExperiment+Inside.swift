// What the fast weights do, as pictures: one small network and one sequence.

extension PaperExperiment {
    /// The fast matrix over a sequence, and what the query attended to.
    static let inside = PaperExperiment(
        name: "inside", title: "Inside the network",
        introduction: [
            "A small network of Table 1, R = 20, reads one test sequence. Every state h is written into the fast matrix A, which fades by λ = \(FastWeightsOptions().memoryDecay) a step; the query then calls back the states that resemble its own."
        ],
        measure: .testError, rows: ["Fast weights"], columns: ["R = 20"], paper: [:], deviations: [],
        draw: pictures,
        jobs: { scale in
            let model = RetrievalModel.named("fast-weights")
            var options = TrainingOptions(model.recipe(hidden: 20), quick: scale.isQuick)
            options.steps = scale.isQuick ? options.steps : 100_000
            let training = RetrievalTraining(model: model, hidden: 20, seed: 1, options: options)
            return [PaperJob("inside", training, isQuick: scale.isQuick) { $0.drawing = drawing($1, $2) }]
        })

    /// The states of the first test sequence, and what its query attended to.
    private static func drawing(_ model: Network, _ data: RetrievalData) -> JSON {
        let tokens = Array(data.test.tokens[..<data.test.steps])
        let reading = model.read(tokens)
        func numbers(_ values: [some BinaryFloatingPoint]) -> JSON { .array(values.map { .number(Double($0)) }) }
        return [
            "sequence": .string(String(AssociativeRetrieval.text(tokens))),
            "answer": .number(Double(data.test.targets[0])),
            "states": .array(reading.states.map(numbers)), "attention": .array((reading.attention ?? []).map(numbers)),
            "probabilities": numbers(reading.probabilities),
        ]
    }

    @Sendable private static func pictures(_ drawing: JSON) -> [HTMLPage.Figure] {
        func numbers(_ json: JSON) -> [Double] { (json.elements ?? []).map { $0.number ?? .nan } }
        let sequence = Array(drawing["sequence"]?.text ?? "")
        let states = (drawing["states"]?.elements ?? []).map { numbers($0).map { Float($0) } }
        let attention = (drawing["attention"]?.elements ?? []).map(numbers)
        let probabilities = drawing["probabilities"].map(numbers) ?? []
        // What a file may hold and the pictures do not take.
        guard !sequence.isEmpty, states.count == sequence.count, attention.count == sequence.count,
            attention.enumerated().allSatisfy({ $1.count >= $0 }), probabilities.count == AssociativeRetrieval.classes,
            Set(states.map(\.count)).count == 1
        else { return [] }
        let reading = RetrievalTrace(probabilities: [], states: states, attention: nil)
        let matrices = reading.fastMatrices(
            decay: FastWeightsOptions().memoryDecay, rate: FastWeightsOptions().writeRate)
        let strip = MatrixStrip(
            title: "The fast matrix A(t) while \(String(sequence)) is read",
            description: "One square matrix a step, H by H, in one scale of colors.",
            panels: zip(sequence, matrices).enumerated().map { step, part in
                MatrixStrip.Panel(label: "t = \(step + 1): \(part.0)", values: part.1.map { Double($0) })
            })
        let map = HeatMap(
            sequence: sequence, weights: attention, probabilities: probabilities, correct: drawing["answer"]?.integer)
        return [
            HTMLPage.Figure(
                caption: "Each state adds its outer product with itself, and what was there fades.",
                svg: strip.svg(prefix: "fast-matrix")),
            HTMLPage.Figure(caption: "", svg: map.svg(prefix: "attended")),
        ]
    }
}
