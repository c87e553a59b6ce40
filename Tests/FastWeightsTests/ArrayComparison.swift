import Testing

/// Expects two arrays to be equal, and of arrays that are not prints the first five differences.
///
/// For arrays of more numbers than one reads: `#expect(a == b)` looks for the shortest way from one to the other, which of
/// parameters takes minutes, and prints them whole.
func expectSame<Value: Equatable>(
    _ found: [Value], _ expected: [Value], _ what: @autoclosure () -> String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    if let difference = difference(found, expected) {
        let name = what()
        Issue.record("\(name.isEmpty ? "" : name + ": ")\(difference)", sourceLocation: sourceLocation)
    }
}

/// What `expectSame` prints; nil of equal arrays.
func difference<Value: Equatable>(_ found: [Value], _ expected: [Value]) -> String? {
    guard found.count == expected.count else { return "\(found.count) values instead of \(expected.count)" }
    // Not found != expected: of NaN nothing is equal to itself, though the arrays may share their memory.
    let places = found.indices.lazy.filter { found[$0] != expected[$0] }
    let first = places.prefix(5).map { "[\($0)] \(found[$0]) instead of \(expected[$0])" }
    guard !first.isEmpty else { return nil }
    return "\(places.count) of \(found.count) values differ: " + first.joined(separator: ", ")
}

@Suite struct ArrayComparisonTests {
    @Test func theFirstFiveDifferencesArePrinted() {
        let numbers = (0..<100_000).map { Float($0) }
        #expect(difference(numbers, numbers) == nil)
        #expect(
            difference(numbers.map { $0 < 10 ? $0 : $0 + 1 }, numbers)?.hasPrefix(
                "99990 of 100000 values differ: [10] 11.0") == true)
        #expect(difference([1, 2, 3], [1, 0, 3]) == "1 of 3 values differ: [1] 2 instead of 0")
        #expect(difference([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 7])?.hasSuffix("[4] 5 instead of 0") == true)
        #expect(difference([1], [1, 2]) == "1 values instead of 2")
        let nan = [Float.nan]
        #expect(difference(nan, nan) == "1 of 1 values differ: [0] nan instead of nan")
        withKnownIssue {
            expectSame([1, 2], [1, 3], "two arrays")
        } matching: {
            "\($0)".contains("two arrays: 1 of 2 values differ: [1] 2 instead of 3")
        }
    }
}
