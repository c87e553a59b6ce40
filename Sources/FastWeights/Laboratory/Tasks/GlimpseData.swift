/// The images of one experiment on glimpses, in three parts.
struct GlimpseData: Sendable {
    let training: ImageSet
    let validation: ImageSet
    let test: ImageSet
    /// What they are, for a report.
    let source: String
    /// Whether the images were drawn because there were no files.
    let isGenerated: Bool
    let standardisation: StandardisedImages.Rule

    /// The sequences of all parts: glimpses, or whole images where there are no `controls`. With `shift` a training moves
    /// the images.
    func sequences(
        _ controls: GlimpsePolicy.Controls?, shift: Int
    ) -> (training: SequenceData, validation: SequenceData, test: SequenceData) {
        let policy = controls.map { GlimpsePolicy(side: training.height, controls: $0) }
        func data(_ images: ImageSet, shift: Int = 0) -> SequenceData {
            let source = StandardisedImages(images, standardisation, shift: shift)
            do {
                guard let policy else { return try SequenceData(WholeImages(source: source), classes: images.labels) }
                return try SequenceData(Glimpses(source, policy), classes: images.labels)
            } catch { misuse("images with a label each make sequences with a class each: \(error)") }
        }
        return (data(training, shift: shift), data(validation), data(test))
    }
}

// MARK: - Digits

extension GlimpseData {
    /// Training images that are held out for validation.
    private static let heldOut = 5000

    /// The folder of MNIST in `folder`, if it is there.
    static func mnist(in folder: String?) -> String? {
        folder.map { $0 + "/mnist" }.flatMap { Files.exists($0) ? $0 : nil }
    }

    /// MNIST from its folder, the last 5000 training images held out for validation; without one drawn digits, a tenth as
    /// many.
    ///
    /// Throws `FormatError`, `FileError` or `ImageSetError` for files that cannot be used.
    static func digits(mnist: String?) throws -> GlimpseData {
        guard let mnist else { return generatedDigits(training: 6000, test: 1000, seed: 1) }
        let (all, test) = (try ImageSet(mnist: mnist, .training), try ImageSet(mnist: mnist, .test))
        guard all.count > heldOut, (all.height, all.width) == (test.height, test.width), all.height == all.width,
            all.height % 4 == 0, all.height >= 12
        else {
            throw ImageSetError(
                mnist,
                "expected more than \(heldOut) square images of a multiple of 4 pixels a side, 12 or more, found \(all.count) of \(all.height) by \(all.width) and \(test.count) of \(test.height) by \(test.width)"
            )
        }
        return GlimpseData(
            all, heldOut: heldOut, test: test, source: "MNIST, \(all.count - heldOut) training images",
            isGenerated: false)
    }

    /// Drawn digits, a tenth of the training images held out. Traps unless there are ten of each part.
    static func generatedDigits(training: Int, test: Int, seed: UInt64) -> GlimpseData {
        require(training >= 100 && test >= 10, "too few digits: \(training) and \(test)")
        return GlimpseData(
            GeneratedDigits.make(count: training, seed: seed), heldOut: training / 10,
            test: GeneratedDigits.make(count: test, seed: seed &+ 0x7E57),
            source: "drawn digits, \(training - training / 10) training images: no MNIST was found", isGenerated: true)
    }

    private init(_ all: ImageSet, heldOut: Int, test: ImageSet, source: String, isGenerated: Bool) {
        let cut = all.count - heldOut
        training = all.selecting(Array(0..<cut))
        validation = all.selecting(Array(cut..<all.count))
        (self.test, self.source, self.isGenerated) = (test, source, isGenerated)
        let moments = training.moments
        standardisation = .by(mean: moments.mean, deviation: moments.deviation)
    }
}

// MARK: - Faces

/// What is to be told of a face of the CMU Face Images (Mitchell 1997).
enum FaceLabel: String, Sendable, CaseIterable {
    /// Straight, left, right or up: four classes.
    case pose
    /// Neutral, happy, sad or angry: four classes.
    case expression

    /// Its column in the file of labels, whose first is the person.
    fileprivate var column: Int { self == .pose ? 1 : 2 }
}

extension GlimpseData {
    /// Parts into which the persons are dealt for a cross-validation.
    static let folds = 5

    /// The CMU Face Images of 64 by 60 from the folder `cmu_faces` of `folder`, made 48 by 48, split by person: of `folds`
    /// parts part `fold` is the test, the next one validation. Each picture is standardised by itself.
    ///
    /// These are 624 pictures of 20 persons, where the paper's Multi-PIE has more than 100,000 of 337: another experiment.
    /// Throws `FormatError`, `FileError` or `ImageSetError` for files that cannot be used. Traps unless 0 ≤ fold < folds.
    static func faces(_ label: FaceLabel, folder: String, fold: Int) throws -> GlimpseData {
        let place = folder + "/cmu_faces"
        let images = place + "/cmu-faces-64x60-images-idx3-ubyte.gz"
        let labels = place + "/cmu-faces-labels-idx2-ubyte.gz"
        let persons = try ImageSet(images: images, labels: labels, column: 0)
        return try byPerson(
            ImageSet(images: images, labels: labels, column: label.column, classes: 4), persons.labels, fold: fold,
            path: place,
            source: "CMU Face Images, \(label.rawValue)")
    }

    /// Labeled images of any size, made 48 by 48, split by who is on them.
    static func byPerson(
        _ images: ImageSet, _ persons: [Int], fold: Int, path: String, source: String
    ) throws -> GlimpseData {
        require((0..<folds).contains(fold), "there are the parts 0 to \(folds - 1), found \(fold)")
        // Persons are dealt to the parts in an order of its own, the same for all parts.
        var order = Array(Set(persons)).sorted()
        guard order.count >= folds else {
            throw ImageSetError(path, "expected at least \(folds) persons to split by, found \(order.count)")
        }
        var random = Random(seed: 1, stream: 5)
        random.shuffle(&order)
        var place: [Int: Int] = [:]
        for (i, person) in order.enumerated() { place[person] = i % folds }
        let small = images.square(48)
        func part(_ wanted: (Int) -> Bool) -> ImageSet {
            small.selecting(persons.indices.filter { wanted(place[persons[$0]]!) })
        }
        let next = (fold + 1) % folds
        let training = part { $0 != fold && $0 != next }
        return GlimpseData(
            training: training, validation: part { $0 == next }, test: part { $0 == fold },
            source: "\(source), part \(fold + 1) of \(folds) by person, \(training.count) training images",
            isGenerated: false, standardisation: .each)
    }
}
