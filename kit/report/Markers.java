// Where tables stand in prose that a person writes:
//
//     <!-- begin: latency -->
//     | … what the data say … |
//     <!-- end: latency -->
//
// A marker that is not read as one would leave a stale table standing, and nobody would know. So whatever looks like a
// marker has to be one.

import module java.base;

/** Filling a Markdown file's sections. */
final class Markers {
    private static final Pattern ALIKE = Pattern.compile("<!--\\s*(?:begin|end)\\b[^\\n]*"),
            MARKER = Pattern.compile("<!-- (begin|end): ([\\w-]+) -->");

    private Markers() {}

    /**
     * The text with each section's content replaced by the one of its name.
     *
     * @throws IllegalArgumentException with the line's number, when a marker is damaged, unclosed, nested or not alone on
     *         its line, when it names what there is not, when lines end in CRLF, or when there is no marker at all
     */
    static String filled(String text, Map<String, String> contents) {
        var filled = new StringBuilder();
        String open = null;
        int number = 0, sections = 0;
        if (text.contains("\r")) throw new IllegalArgumentException("its lines end in CRLF, which would hide the markers");
        for (String line : text.split("(?<=\n)")) {
            number++;
            if (!ALIKE.matcher(line).find()) {
                if (open == null) filled.append(line);
                continue;
            }
            var marker = MARKER.matcher(line.stripTrailing());
            if (!marker.matches()) throw damaged(number, "is not a marker, and looks like one");
            String name = marker.group(2);
            if (marker.group(1).equals("begin")) {
                if (open != null) throw damaged(number, "begins '" + name + "' inside '" + open + "'");
                if (!contents.containsKey(name)) throw damaged(number, "asks for '" + name + "', which this run doesn't have");
                open = name;
                sections++;
                filled.append(line).append(contents.get(name));
            } else {
                if (!name.equals(open)) throw damaged(number, "ends '" + name + "', which is not open");
                open = null;
                filled.append(line);
            }
        }
        if (open != null) throw new IllegalArgumentException("'" + open + "' is begun and never ends");
        if (sections == 0) throw new IllegalArgumentException("it has no section to fill");
        return filled.toString();
    }

    private static IllegalArgumentException damaged(int line, String what) {
        return new IllegalArgumentException("line " + line + " " + what);
    }
}
