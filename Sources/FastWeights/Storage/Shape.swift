/// The largest of all sizes: a file of some hundred bytes cannot ask for more.
let sizeLimit = 1 << 20

/// Numbers of an array of these sizes, their product; nil where a size is below 0, or a product on the way is more than an
/// `Int` holds.
func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        guard size >= 0, !overflow else { return nil }
        count = product
    }
    return count
}

/// Traps unless `count` numbers are those of an array of this shape. `what` says which array: "the tensor x".
func require(
    _ count: Int, fits shape: [Int], _ what: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    guard let expected = elementCount(shape) else {
        misuse(
            "\(what()) has the shape \(shape.text); sizes are at least 0, and their product is at most \(Int.max)",
            file: file, line: line)
    }
    require(
        count == expected, "\(what()) of shape \(shape.text) has \(expected) numbers; \(count) were given", file: file,
        line: line)
}
