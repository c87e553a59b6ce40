import Testing

@testable import FastWeights

/// The world "push" to the byte.
@Suite struct PushWorldTests {
    @Test func digestsAreThoseOfTheStandard() {
        #expect(SHA256.digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.digest(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.digest([UInt8](repeating: 97, count: 119))
                == "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb")
    }

    private func bytes(_ clip: VideoClip) -> [UInt8] {
        guard case .bytes(let bytes) = clip.pixels else { return [] }
        return bytes
    }

    /// Digests that two other programs gave, of [4, 10, 3, W, W].
    @Test(arguments: [
        (
            32, PushWorld.Objects.seen, UInt64(1), 16_203_578,
            "2718a87bf64494a1d76cb39d0ad6ae12570aa07c25755619321c3894cac71d75"
        ),
        (
            32, .novel, 3, 13_949_834, "dab8495bc6deeddbdce85641df776d5365253d9c9968bbb8880cfa60c53ee2b5"
        ),
        (
            64, .seen, 1, 64_776_969, "8c4cdd739fa9b3809134de23b03a88bfa071ca888482d3245104ff510983c802"
        ),
    ])
    func clipsAreTheSpecifiedBytes(
        side: Int, objects: PushWorld.Objects, seed: UInt64, sum: Int, digest: String
    ) throws {
        let world = try PushWorld(side: side, objects: objects, seed: seed)
        let all = (0..<4).flatMap { bytes(world.clip($0, frames: 10)) }
        #expect(all.count == 4 * 10 * 3 * side * side && all.reduce(0) { $0 + Int($1) } == sum)
        #expect(SHA256.digest(all) == digest)
    }

    @Test func actionsAndStatesAreTheSpecifiedNumbers() throws {
        let clip = try PushWorld(side: 32, objects: .seen, seed: 1).clip(0, frames: 10)
        #expect(clip.actions.count == 20 && clip.states.count == 20)
        for (found, expected) in [
            (clip.states[0], 0.4826338), (clip.states[1], 0.24158448), (clip.states[18], 0.12869325),
            (clip.states[19], 0.35218892), (clip.actions[0], -0.74335426), (clip.actions[1], 0.00957816),
        ] as [(Float, Float)] { #expect(abs(found - expected) < 5e-8, "\(found)") }
        // Where nothing holds it back, the hand goes twice the action.
        for t in 0..<9 {
            for axis in 0..<2 {
                let step = 32 * (clip.states[2 * t + 2 + axis] - clip.states[2 * t + axis])
                #expect(abs(step) <= 1.8001)
                #expect(abs(step - 2 * clip.actions[2 * t + axis]) < 1e-4 || step == 0)
            }
        }
    }

    @Test func aLongerClipBeginsAsAShorterOne() throws {
        let world = try PushWorld(side: 32, objects: .novel, seed: 9)
        let (short, long) = (world.clip(7, frames: 3), world.clip(7, frames: 8))
        #expect(bytes(long).starts(with: bytes(short)))
        #expect(long.actions.starts(with: short.actions) && long.states.starts(with: short.states))
        #expect(bytes(world.clip(8, frames: 3)) != bytes(short))
    }

    @Test func impossibleWorldsAreRefused() {
        let side = #expect(throws: VideoError.self) { try PushWorld(side: 48, objects: .seen, seed: 1) }
        #expect(side?.description == "the world \"push\" is 32 or 64 pixels wide, found 48")
        let seed = #expect(throws: VideoError.self) { try PushWorld(side: 32, objects: .seen, seed: 1 << 32) }
        #expect(seed?.description == "a seed of the world \"push\" is at most 4294967295, found 4294967296")
    }
}
