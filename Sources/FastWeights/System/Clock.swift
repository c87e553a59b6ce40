extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// A clock that nobody sets: the seconds since it was made. Where there is no system it has no time to tell, and traps.
func stopwatch() -> @Sendable () -> Double {
    #if hasFeature(Embedded)
        { misuse("there is no clock here: give a training steps or epochs, and no time limit") }
    #else
        let start = ContinuousClock.now
        return { (ContinuousClock.now - start).seconds }
    #endif
}
