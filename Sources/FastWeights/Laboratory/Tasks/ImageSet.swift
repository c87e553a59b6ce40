/// Gray images of one size with a class each.
struct ImageSet: Sendable {
    let height: Int
    let width: Int
    /// From 0 to 255, row by row, image after image.
    let pixels: [UInt8]
    /// The class of each image, 0..<classes.
    let labels: [Int]
    let classes: Int

    /// Images.
    var count: Int { labels.count }

    /// Traps unless there are height · width pixels an image and every label is one of the classes.
    init(height: Int, width: Int, pixels: [UInt8], labels: [Int], classes: Int) {
        require(
            height > 0 && width > 0 && pixels.count == labels.count * height * width,
            "\(labels.count) images of \(height) by \(width) have \(labels.count * height * width) pixels; \(pixels.count) were given"
        )
        if let label = labels.first(where: { !(0..<classes).contains($0) }) {
            misuse("there is a label \(label); there are \(classes) classes, counted from 0")
        }
        (self.height, self.width, self.pixels, self.labels, self.classes) = (height, width, pixels, labels, classes)
    }

    /// The images at `indices`, in that order. Traps on an index out of range.
    func selecting(_ indices: [Int]) -> ImageSet {
        let size = height * width
        return ImageSet(
            height: height, width: width, pixels: indices.flatMap { pixels[$0 * size..<($0 + 1) * size] },
            labels: indices.map { labels[$0] }, classes: classes)
    }

    /// Mean and standard deviation of all pixels.
    var moments: (mean: Float, deviation: Float) { Self.moments(pixels[...]) }

    static func moments(_ pixels: ArraySlice<UInt8>) -> (mean: Float, deviation: Float) {
        let (sum, squares) = pixels.reduce(into: (0, 0)) {
            $0.0 += Int($1)
            $0.1 += Int($1) * Int($1)
        }
        require(!pixels.isEmpty, "the mean of pixels needs at least 1")
        let count = Double(pixels.count)
        let mean = Double(sum) / count
        return (Float(mean), Float(max(Double(squares) / count - mean * mean, 1e-6).squareRoot()))
    }
}

extension ImageSet {
    /// The images of an IDX file [images, rows, columns] of bytes, and the classes of another: [images], or of [images,
    /// labels] the column `column`. `classes` is one more than the largest, or the number given.
    ///
    /// Throws `FormatError` or `FileError` from the files, and `ImageSetError` where they do not fit together.
    init(images: String, labels: String, column: Int = 0, classes: Int? = nil) throws {
        let (pictures, given) = (try IDX(path: images), try IDX(path: labels))
        guard pictures.shape.count == 3, pictures.type == .uint8, !pictures.shape.contains(0) else {
            throw ImageSetError(
                images,
                "expected images [count, rows, columns] of uint8, found \(pictures.type.rawValue) of \(pictures.shape)")
        }
        let columns = given.shape.count == 2 ? given.shape[1] : 1
        guard given.shape.count == 1 || given.shape.count == 2, (0..<columns).contains(column) else {
            throw ImageSetError(
                labels, "expected labels [count], or [count, labels] with a column \(column), found \(given.shape)")
        }
        guard given.shape[0] == pictures.shape[0] else {
            throw ImageSetError(labels, "expected \(pictures.shape[0]) labels, one an image, found \(given.shape[0])")
        }
        let all = try given.integers()
        let own = (0..<given.shape[0]).map { all[$0 * columns + column] }
        let count = classes ?? (own.max() ?? 0) + 1
        guard let wrong = own.first(where: { !(0..<count).contains($0) }) else {
            self.init(
                height: pictures.shape[1], width: pictures.shape[2], pixels: try pictures.floats.map { UInt8($0) },
                labels: own, classes: count)
            return
        }
        throw ImageSetError(labels, "expected labels from 0 to \(count - 1), found \(wrong)")
    }

    /// The two parts in which MNIST comes; the raw value is how the names of their files begin.
    enum MNISTPart: String {
        case training = "train"
        case test = "t10k"
    }

    /// A part of MNIST from the folder with its files. Throws as the other initializer.
    init(mnist folder: String, _ part: MNISTPart) throws {
        try self.init(
            images: "\(folder)/\(part.rawValue)-images-idx3-ubyte.gz",
            labels: "\(folder)/\(part.rawValue)-labels-idx1-ubyte.gz", classes: 10)
    }

    /// The same images made `side` by `side`: the largest square in the middle, its pixels the means of the area each
    /// covers.
    func square(_ side: Int) -> ImageSet {
        let edge = min(height, width)
        guard edge != side || height != width else { return self }
        let (top, left) = ((height - edge) / 2, (width - edge) / 2)
        var result = [UInt8](repeating: 0, count: count * side * side)
        // Pixel y of the new image covers the old ones from y·edge/side to (y + 1)·edge/side.
        func cover(_ y: Int) -> [(place: Int, share: Double)] {
            let (from, to) = (Double(y * edge) / Double(side), Double((y + 1) * edge) / Double(side))
            return (Int(from)...min(Int(to), edge - 1)).map { place in
                (place, (min(to, Double(place + 1)) - max(from, Double(place))) / (to - from))
            }
        }
        let covers = (0..<side).map(cover)
        for i in 0..<count {
            for y in 0..<side {
                for x in 0..<side {
                    var sum = 0.0
                    for (row, vertical) in covers[y] {
                        let line = (i * height + top + row) * width + left
                        for (place, horizontal) in covers[x] {
                            sum += vertical * horizontal * Double(pixels[line + place])
                        }
                    }
                    result[(i * side + y) * side + x] = UInt8(min(max(sum.rounded(), 0), 255))
                }
            }
        }
        return ImageSet(height: side, width: side, pixels: result, labels: labels, classes: classes)
    }
}

/// Image files that do not fit together.
struct ImageSetError: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ path: String, _ problem: String) { description = "\(path): \(problem)." }
}
