// A number as text: how many digits it shows, and which way it is rounded.

import module java.base;

/** Numbers for tables and for sentences; the same on every machine. */
final class Numbers {
    /** What stands where there is no number. */
    static final String MISSING = "—";
    private static final int SIGNIFICANT_DIGITS = 3;

    private Numbers() { }

    /** As tables show it: three significant digits, whole from a hundred on, — for NaN. */
    static String figure(double value) {
        if (Double.isNaN(value)) return MISSING;
        if (Double.isInfinite(value)) return value > 0 ? "∞" : "-∞";
        if (value == 0) return "0";
        var exact = new BigDecimal(value);
        var rounded = exact.round(new MathContext(SIGNIFICANT_DIGITS, RoundingMode.HALF_EVEN));
        if (rounded.abs().compareTo(BigDecimal.valueOf(100)) >= 0) rounded = exact.setScale(0, RoundingMode.HALF_EVEN);
        return rounded.toPlainString();
    }

    /** As sentences say it: no decimal from ten on, one from one on, two below, and no zero at the end. */
    static String spoken(double value, RoundingMode mode) {
        var rounded = BigDecimal.valueOf(value).setScale(value >= 10 ? 0 : value >= 1 ? 1 : 2, mode);
        return rounded.signum() == 0 ? "0" : rounded.scale() > 0 ? rounded.stripTrailingZeros().toPlainString()
                : rounded.toPlainString();
    }

    /** With three digits and this rounding; what binary fractions add beyond the twelfth is no reason to round away. */
    static String rounded(double value, RoundingMode mode) {
        return BigDecimal.valueOf(value).round(new MathContext(12)).round(new MathContext(SIGNIFICANT_DIGITS, mode))
                .stripTrailingZeros().toPlainString();
    }

    static String spoken(double value) { return spoken(value, RoundingMode.HALF_EVEN); }
}
