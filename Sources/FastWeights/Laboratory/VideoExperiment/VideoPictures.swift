/// What the trained models of one setting make of the same clips, drawn: strips and animations, the futures that follow from
/// other actions, kernels and masks.
struct VideoPictures {
    /// A model of each row whose file is there.
    private let models: [(model: VideoExperiment.Model, trained: VideoModel)]
    /// What is wrong with files that are not.
    let problems: [String]

    /// The clips that all models go on with, of novel objects.
    private static let clips = [0, 1]
    /// Frames of a strip, by their place in the clip.
    private static let places = [0, 1, 2, 3, 5, 7, 9, 13, 19]
    /// Steps of an imagined future.
    private static let imagined = 10
    /// Half of the longest way that the arm goes in one step of "push", in its units of two pixels.
    private static let push: Float = 0.8
    /// Where the arm might go; Y is down.
    private static let directions: [(name: String, action: [Float])] = [
        ("left", [-push, 0]), ("right", [push, 0]), ("up", [0, -push]), ("down", [0, push]),
    ]
    /// Hundredths of a second a frame.
    private static let delay = 20

    /// The models of the section's first seeds, in `folder`.
    init(_ section: VideoSection, folder: String) {
        var (models, problems): ([(VideoExperiment.Model, VideoModel)], [String]) = ([], [])
        for row in section.rows {
            guard let file = row.results.first.map({ VideoJob.modelFile($0.id, in: folder) }) else { continue }
            do {
                let trained = try VideoModel(path: file)
                let shape = try VideoExperiment.testClips(.novel, count: 1).shape
                try trained.check(shape, source: file)
                guard trained.configuration.context == VideoExperiment.context else {
                    throw VideoError("\(file): expected a model that is given \(VideoExperiment.context) frames")
                }
                models.append((row.model, trained))
            } catch {
                problems.append("No pictures of \(row.model.title): \(error)")
            }
        }
        (self.models, self.problems) = (models, problems)
    }

    /// The part of the page that shows them; empty without a model.
    func html(prefix: String) throws -> String {
        guard !models.isEmpty else { return "" }
        let clips = try VideoExperiment.testClips(.novel, count: 64)
        var html = "<h3>The same clips</h3>\n"
        html += HTMLPage.paragraphs([
            "Clips of objects that no model was trained on. The first \(VideoExperiment.context) frames, under a blue bar, are given; those under an orange bar are predicted, each from the one before."
        ])
        html += HTMLPage.films(Self.clips.flatMap { films(clips, $0) })
        let clip = Self.central(clips)
        html += futures(clips, clip)
        return html + sources(clips, clip, prefix: prefix)
    }

    /// The clip in which the arm is nearest to the middle when the model goes on by itself.
    private static func central(_ clips: VideoClips) -> Int {
        func distance(_ clip: Int) -> Float {
            let state = clips[clip].states.dropFirst((VideoExperiment.context - 1) * PushWorld.states)
            return state.prefix(PushWorld.states).reduce(0) { $0 + abs($1 - 0.5) }
        }
        return (0..<clips.count).map { ($0, distance($0)) }.min { $0.1 < $1.1 }!.0
    }

    // MARK: - Strips and animations

    private static func strip(_ comparison: VideoComparison, _ places: [Int], _ what: String) -> HTMLPage.Film {
        let picture = comparison.strip(places)
        return HTMLPage.Film(
            content: picture.serialized(), type: "image/png", width: picture.width, height: picture.height,
            description: "\(what): rows \(comparison.rows.map(\.name).joined(separator: ", ")), a column a frame.",
            caption: what)
    }

    private static func animation(_ comparison: VideoComparison, _ what: String) -> HTMLPage.Film {
        let animation = comparison.animation(delay: delay, scale: 3)
        let size = animation.frames[0]
        return HTMLPage.Film(
            content: animation.gif(), type: "image/gif", width: size.width, height: size.height,
            description: "\(what), moving: \(comparison.rows.map(\.name).joined(separator: ", ")).",
            caption: "\(what), moving")
    }

    /// Every model's frames of a clip beside the true ones.
    private func films(_ clips: VideoClips, _ number: Int) -> [HTMLPage.Film] {
        let (clip, maps) = (clips[number], clips.shape.maps)
        var comparison = VideoComparison(truth: clip.frames(maps), maps, context: VideoExperiment.context)
        for (model, trained) in models {
            let predictor = VideoPredictor(trained)
            comparison.add(
                model.label, predicted: predictor.forecast(clip, clips.shape, steps: VideoExperiment.predictedSteps))
        }
        return [
            Self.strip(comparison, Self.places, "Clip \(number)"), Self.animation(comparison, "Clip \(number)"),
        ]
    }

    // MARK: - Futures

    /// A predictor that has read the first `count` frames of a clip.
    private static func reading(_ trained: VideoModel, _ clip: VideoClip, _ maps: MapShape, _ count: Int)
        -> VideoPredictor
    {
        let (predictor, c, frames) = (VideoPredictor(trained), trained.configuration, clip.frames(maps))
        for t in 0..<count {
            predictor.step(
                frames[t],
                action: Array(clip.actions[t * PushWorld.actions..<(t + 1) * PushWorld.actions].prefix(c.actions)),
                state: t == 0 ? Array(clip.states.prefix(c.states)) : nil)
        }
        return predictor
    }

    /// One clip, and what would follow if the arm went elsewhere, by the first model that is told what the arm does.
    private func futures(_ clips: VideoClips, _ number: Int) -> String {
        guard let (model, trained) = models.first(where: { $0.trained.configuration.actions == PushWorld.actions })
        else { return "" }
        let (clip, maps, context) = (clips[number], clips.shape.maps, VideoExperiment.context)
        let frames = clip.frames(maps)
        var comparison = VideoComparison(
            truth: Array(frames.prefix(context + Self.imagined)), maps, context: context, name: "as it went")
        let seen = Self.reading(trained, clip, maps, context - 1)
        for (name, action) in Self.directions {
            let future = seen.fork()
            let first = future.step(frames[context - 1], action: action)
            comparison.add(
                name, predicted: [first] + (1..<Self.imagined).map { _ in future.step(action: action) })
        }
        let what = "Clip \(number), imagined by \(model.title)"
        return "<h3>What if the arm went left?</h3>\n"
            + HTMLPage.paragraphs([
                "One clip, and four futures that the model imagines from the same frames: the arm is told to go left, right, up or down at every step. The first row is what happened with the clip's own actions."
            ])
            + HTMLPage.films([
                Self.strip(comparison, Array(0..<comparison.count), what), Self.animation(comparison, what),
            ])
    }

    // MARK: - Kernels and masks

    /// What the first predicted frame of a clip is made of.
    private func sources(_ clips: VideoClips, _ number: Int, prefix: String) -> String {
        let (clip, maps, context) = (clips[number], clips.shape.maps, VideoExperiment.context)
        let frame = clip.frames(maps)[context - 1]
        var (kernels, masks): ([HTMLPage.Figure], [HTMLPage.Film]) = ([], [])
        for (model, trained) in models {
            let sources = Self.reading(trained, clip, maps, context).sources
            if !sources.kernels.isEmpty {
                let strip = MatrixStrip(
                    kernels: sources.kernels, side: trained.configuration.kernelSize,
                    title: "Kernels of \(model.title)",
                    description: "Where each kernel moves the light of a pixel, with an arrow to the mean.")
                kernels.append(HTMLPage.Figure(caption: "", svg: strip.svg(prefix: "\(prefix)-\(model.name)")))
            }
            if !sources.masks.isEmpty {
                masks += Self.films(MaskLayers(frame, maps, masks: sources.masks), model)
            }
        }
        var html = ""
        if !kernels.isEmpty {
            html += "<h3>Kernels</h3>\n"
            html += HTMLPage.paragraphs([
                "The kernels by which the first frame is predicted of clip \(number), as fields of motion: where the light of a pixel in the middle goes, and an arrow to the mean of that, in pixels to the right and down."
            ])
            html += HTMLPage.figures(kernels)
        }
        guard !masks.isEmpty else { return html }
        html += "<h3>Masks</h3>\n"
        html += HTMLPage.paragraphs([
            "Where each pixel of the same frame is taken from: gray is the last frame as it is, the first color the painted frame where there is one, the others the moved images. Beside it every mask by itself, white where all of a pixel is taken from its image."
        ])
        return html + HTMLPage.films(masks)
    }

    /// All masks in colors, and each by itself.
    private static func films(_ layers: MaskLayers, _ model: VideoExperiment.Model) -> [HTMLPage.Film] {
        let pictures = [("in colors", layers.picture(scale: 6)), ("one by one", layers.separate(scale: 2))]
        return pictures.map { how, picture in
            HTMLPage.Film(
                content: picture.serialized(), type: "image/png", width: picture.width, height: picture.height,
                description: "The masks of \(model.title), \(how).", caption: "Masks of \(model.title), \(how)")
        }
    }
}
