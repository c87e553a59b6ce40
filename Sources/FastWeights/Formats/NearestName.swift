/// Finds the name the user may have meant, for error messages about one that does not exist.
enum NearestName {
    /// The candidate fewest edits away from `name`, if that is at most a third of its length (and at least one edit is
    /// always forgiven); the first of equals.
    ///
    /// - Complexity: O(*n* · *m*) for each candidate, in the lengths of both names.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let limit = max(1, name.count / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(Array(name), Array(candidate))
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbors that lead from `a` to `b`, no place edited twice.
    static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var distance = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    distance = min(distance, beforePrevious[j - 1] + 1)
                }
                row.append(distance)
            }
            beforePrevious = previous
            previous = row
        }
        return previous[b.count]
    }
}
