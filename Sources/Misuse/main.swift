// Misuse           writes the name of every mistake and the sentence it must end with, one a line
// Misuse NAME      makes that mistake
let cases = Case.sizes + Case.arrays + Case.data + Case.trainings + Case.loops + Case.files + Case.video
if let name = CommandLine.arguments.dropFirst().first {
    guard let mistake = cases.first(where: { $0.name == name }) else { fatalError("there is no case \(name)") }
    try mistake.run()
    print("the mistake was not noticed")
} else {
    for mistake in cases { print("\(mistake.name)\t\(mistake.sentence)") }
}
