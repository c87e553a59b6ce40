/// Ends the program with a sentence unless `condition` holds, in every build.
///
/// Every check of what a caller passes is of this kind: `precondition` is as strict, but an optimized build drops its
/// message, so that a wrong size would be an illegal instruction and nothing else. The sentence is made only where the
/// condition fails, out of the way of the code that goes on.
@inline(__always)
func require(
    _ condition: Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { misuse(sentence(), file: file, line: line) }
}

extension Array where Element: CustomStringConvertible {
    /// The elements to be read by people, [2, 3]: Embedded Swift does not interpolate an array.
    var text: String { "[" + map { $0.description }.joined(separator: ", ") + "]" }
}

/// Ends the program with a sentence that says what the caller did wrong, in every build.
@inline(never)
func misuse(_ sentence: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    #if hasFeature(Embedded)
        // There, what fatalError says must be known when it is compiled.
        print(sentence)
        fatalError(file: file, line: line)
    #else
        fatalError(sentence, file: file, line: line)
    #endif
}
