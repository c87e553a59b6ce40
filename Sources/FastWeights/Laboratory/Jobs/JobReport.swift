/// The results of jobs merged.
protocol JobReport {
    /// A self-contained page.
    func render() -> String
    /// Every result, for other programs.
    func csv() -> String
    /// The tables for a terminal of so many columns.
    func plain(width: Int) -> String
}

/// A result of one of several trainings that differ in their seed alone.
protocol SeededResult {
    var seed: UInt64 { get }
    /// All settings in one text; results of others are not compared.
    var settingsText: String { get }
}

extension Array where Element: SeededResult {
    /// Those that may stand together, a seed once and in order: of several settings those that most have.
    var alike: [Element] {
        let groups = Dictionary(grouping: self) { $0.settingsText }
        let most = groups.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.value ?? []
        var seeds: Set<UInt64> = []
        return most.sorted { $0.seed < $1.seed }.filter { seeds.insert($0.seed).inserted }
    }
}
