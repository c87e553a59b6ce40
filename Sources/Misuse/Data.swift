@_spi(Laboratory) import FastWeights

/// Data, texts and tasks that do not fit.
extension Case {
    private static var tagger: Network { Network(NetworkConfiguration(.numbers(2), [.gru(3), .dense(2)]), seed: 1) }

    private static var sequences: SequenceData {
        get throws { try SequenceData(.numbers([[1, 2], [3, 4]], width: 2), .stepClasses([[0], [1]])) }
    }

    private static let text = Array("abracadabra, abracadabra, abracadabra".utf8)

    private static var model: TextModel {
        TextModel([.gru(3)], vocabulary: TextVocabulary(of: text), seed: 1)
    }

    private static var classifier: Network {
        Network(NetworkConfiguration(.tokens(5), [.embedding(4), .gru(3), .lastStep, .dense(2)]), seed: 1)
    }

    static let data: [Case] = [
        Case("select-none", "data needs at least one sequence; none was selected", try sequences.selecting([])),
        Case(
            "select-beyond", "sequence 2 was selected; the data has 2, counted from 0", try sequences.selecting([0, 2])),
        Case(
            "split-share", "the share for validation must be between 0 and 1, found nan",
            try sequences.split(validation: .nan, seed: 1)),
        Case(
            "data-width", "the network takes 2 numbers a step; the data has 1 numbers a step",
            try tagger.predict(.numbers([[1]], width: 1))),
        Case(
            "data-targets",
            "the network gives 2 numbers per step; the data has a target per sequence: put lastStep or mean below the last layer",
            try tagger.evaluate(SequenceData(.numbers([[1, 2]], width: 2), .classes([0])))),
        Case(
            "data-step-targets",
            "the network gives 2 numbers per sequence; the data has a target per step: leave lastStep and mean out of the layers",
            try classifier.evaluate(SequenceData(.tokens([[1, 2]]), .stepClasses([[0, 1]])))),
        Case(
            "data-tokens", "the network takes 2 numbers a step; the data has tokens",
            try tagger.predict(.tokens([[1]]))),
        Case(
            "predict-threads", "work is done on 1 to 1024 threads, found -1",
            try tagger.predict(.numbers([[1, 2]], width: 2), threads: -1)),
        Case(
            "examples-count", "the array of tokens of shape [1, 2] has 2 numbers; 3 were given",
            Examples(tokens: [1, 2, 3], targets: [0], steps: 2)),
        Case(
            "examples-steps", "examples have sequences of at least 1 step, found 0",
            Examples(tokens: [1, 2], targets: [0], steps: 0)),
        Case(
            "examples-none", "there are no sequences; at least one is needed",
            Examples(tokens: [], targets: [], steps: 2).sequences),
        Case(
            "images", "the network takes 16 numbers a step; the data has 2 numbers a step",
            try Network(
                NetworkConfiguration(.maps(channels: 1, height: 4, width: 4), [.flatten, .dense(2)]), seed: 1
            ).evaluate(sequences)),
        Case(
            "text-model-empty", "a vocabulary needs at least 1 character; the text it was made of has none",
            TextModel([.gru(3)], vocabulary: TextVocabulary(of: []), seed: 1)),
        Case(
            "text-model-reversed",
            "a text model of 7 tokens runs forwards, reads one of as many and gives as many numbers per step; found a network that reads one of 7 tokens per step and gives 7 numbers per step, and reads backwards",
            TextModel([.bidirectional(.gru(3))], vocabulary: TextVocabulary(of: text), seed: 1)),
        Case(
            "text-vocabulary",
            "the text has tokens of another vocabulary, of 256, than the model, of 7; make it with the model's",
            model.bitsPerToken(of: try TrainingText(text, .bytes))),
        Case(
            "text-share", "the share held out must be between 0 and 1, found 1.0",
            try TrainingText(text, .bytes, heldOut: 1)),
        Case(
            "text-token", "a token of this vocabulary is from 0 to 255; 256 was given",
            TextVocabulary.bytes.bytes(of: 256)),
        Case(
            "temperature-nan", "a temperature is a finite number of at least 0, found nan",
            try model.writer(prompt: "a", temperature: .nan, seed: 1)),
        Case(
            "task-counts", "a set has from 0 to 2³² examples, found -1",
            try AssociativeRetrieval(pairs: 2).generate(counts: [-1], seed: 1)),
        Case(
            "task-token", "a token of the task is from 0 to 36; 37 was given", AssociativeRetrieval.text([37])),
        Case(
            "task-model",
            "the task has 37 tokens and 10 classes per sequence; the network reads one of 5 tokens per step and gives 2 numbers per sequence",
            ModelFile(classifier, task: try AssociativeRetrieval(pairs: 2))),
    ]
}
