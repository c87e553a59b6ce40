/// The digest SHA-256 (FIPS 180-4) of some bytes in hexadecimal digits.
enum SHA256 {
    /// The first 32 bits of the fractional parts of the roots of the first primes, square roots or cube roots.
    private static func roots(_ count: Int, cubic: Bool) -> [UInt32] {
        var primes: [Int] = []
        var n = 2
        while primes.count < count {
            if primes.allSatisfy({ n % $0 != 0 }) { primes.append(n) }
            n += 1
        }
        return primes.map { prime in
            // The largest root with 32 binary places, by bisection on whole numbers.
            var (low, high) = (UInt64(0), UInt64(1) << 38)
            func isBelow(_ x: UInt64) -> Bool {
                let square = x.multipliedFullWidth(by: x)
                if !cubic { return square.high < UInt64(prime) }
                // x³ < p · 2⁹⁶, both without their last 32 bits.
                let cube = (square.high << 32 | square.low >> 32).multipliedFullWidth(by: x)
                let rest = (square.low & 0xFFFF_FFFF).multipliedFullWidth(by: x)
                let (_, carry) = cube.low.addingReportingOverflow(rest.high << 32 | rest.low >> 32)
                return cube.high + (carry ? 1 : 0) < UInt64(prime)
            }
            while high - low > 1 {
                let middle = (low + high) / 2
                if isBelow(middle) { low = middle } else { high = middle }
            }
            return UInt32(truncatingIfNeeded: low)
        }
    }

    private static let constants = roots(64, cubic: true)
    private static let beginning = roots(8, cubic: false)

    static func digest(_ bytes: [UInt8]) -> String {
        var message = bytes + [0x80]
        message += [UInt8](repeating: 0, count: (120 - message.count % 64) % 64)
        message += (0..<8).map { UInt8(truncatingIfNeeded: (8 * bytes.count) >> (56 - 8 * $0)) }
        func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
        var state = beginning
        var words = [UInt32](repeating: 0, count: 64)
        for start in stride(from: 0, to: message.count, by: 64) {
            for i in 0..<16 {
                words[i] = message[start + 4 * i..<start + 4 * i + 4].reduce(0) { $0 << 8 | UInt32($1) }
            }
            for i in 16..<64 {
                let (a, b) = (words[i - 15], words[i - 2])
                words[i] =
                    words[i - 16] &+ words[i - 7] &+ (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3)
                    &+ (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10)
            }
            var s = state
            for i in 0..<64 {
                let (a, e) = (s[0], s[4])
                let first =
                    s[7] &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ (e & s[5] ^ ~e & s[6])
                    &+ constants[i] &+ words[i]
                let second =
                    (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ (a & s[1] ^ a & s[2] ^ s[1] & s[2])
                s = [first &+ second, a, s[1], s[2], s[3] &+ first, e, s[5], s[6]]
            }
            for i in 0..<8 { state[i] &+= s[i] }
        }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
