import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.*;
import java.util.concurrent.*;
import javax.sql.DataSource;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/** A Java engine embedded in this process, driven as bench/subjects/subject.py drives ours, by the same lines. */
public abstract class Peer {
    static final String[] PHASES = {"start", "submit", "review", "consult_a", "consult_b", "consult_c",
        "designation", "publicity", "objections", "promotion"};
    static final int FIELDS = 20, POOL = 97;
    static final String LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+-;=?@^_`{|}~";

    HikariDataSource pool;
    private String[] cases = {};
    private int first;

    abstract String name();
    /** Build the engine over the pool (history full, no executor, no telemetry), deploy drawing and decision. */
    abstract void open(DataSource pool, Path drawing, Path decision) throws Exception;
    abstract String start();
    abstract String findTask(String caseId, String key);
    abstract void claim(String taskId, String person);
    abstract void complete(String taskId, Map<String, Object> values);
    abstract String findTimer(String caseId);
    abstract void fire(String timerId);
    /** The whole history of a case in four queries: steps, tasks, variables, changes; how many rows. */
    abstract int timeline(String caseId);
    /** Cases over, tasks completed, sum of scores, among these cases. */
    abstract long[] found(Set<String> caseIds);

    public static void run(Peer peer, String[] given) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(given[0]);
        config.setMaximumPoolSize(Integer.parseInt(given[1]) + 4);
        peer.pool = new HikariDataSource(config);
        peer.open(peer.pool, Path.of(given[2]), Path.of(given[3]));
        System.out.println("{\"name\": \"" + peer.name() + "\"}");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer = line.contains("\"judge\"") ? peer.judge()
                : line.contains("\"timeline\"") ? peer.timelines() : peer.drive(line);
            peer.pool.getHikariPoolMXBean().softEvictConnections();
            Thread.sleep(200);
            System.out.println(answer);
        }
        System.exit(0);
    }

    static int number(String line, String name) {
        var found = java.util.regex.Pattern.compile("\"" + name + "\": *(\\d+)").matcher(line);
        if (!found.find()) throw new IllegalArgumentException("expected " + name + " in " + line);
        return Integer.parseInt(found.group(1));
    }

    String drive(String line) throws Exception {
        int threads = number(line, "threads"), payload = number(line, "payload");
        first = number(line, "first");
        cases = new String[number(line, "cases")];
        String[] pages = pages(payload);
        Map<String, List<Double>> taken = new TreeMap<>();
        for (String kind : List.of("start", "query", "complete", "fire")) taken.put(kind, new ArrayList<>());
        ExecutorService hands = Executors.newFixedThreadPool(threads);
        long wall = 0;
        for (String phase : PHASES) {
            List<Callable<Map<String, List<Double>>>> shares = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int mine = t;
                shares.add(() -> share(phase, mine, threads, pages));
            }
            long begin = System.nanoTime();
            for (var share : hands.invokeAll(shares))
                share.get().forEach((kind, more) -> taken.get(kind).addAll(more));
            wall += System.nanoTime() - begin;
        }
        hands.shutdown();
        StringJoiner told = new StringJoiner(", ", "{", "}");
        taken.forEach((kind, all) -> told.add("\"" + kind + "\": " + spread(all)));
        return "{\"wall\": " + wall / 1e9 + ", \"lat_ms\": " + told + "}";
    }

    Map<String, List<Double>> share(String phase, int thread, int threads, String[] pages) {
        Map<String, List<Double>> taken = new HashMap<>();
        for (int place = thread; place < cases.length; place += threads) {
            int number = first + place;
            if (phase.equals("start")) {
                int at = place;
                time(taken, "start", () -> cases[at] = start());
            } else if (phase.equals("publicity")) {
                String timer = time(taken, "query", () -> findTimer(cases[number - first]));
                time(taken, "fire", () -> { fire(timer); return ""; });
            } else {
                Map<String, Object> values = new HashMap<>();
                values.put(phase + "_page", storable(pages[(number * 8 + Arrays.asList(PHASES).indexOf(phase)) % POOL]));
                if (phase.equals("submit")) values.put("points", points(number));
                String task = time(taken, "query", () -> findTask(cases[number - first], phase));
                time(taken, "complete", () -> { complete(task, values); return ""; });
            }
        }
        return taken;
    }

    /** What is too long for a text column goes in as bytes. */
    static Object storable(String page) {
        return page.length() <= 4000 ? page : page.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    static String time(Map<String, List<Double>> taken, String kind, Callable<String> act) {
        long begin = System.nanoTime();
        try {
            String made = act.call();
            taken.computeIfAbsent(kind, k -> new ArrayList<>()).add((System.nanoTime() - begin) / 1e6);
            return made;
        } catch (Exception e) {
            throw new IllegalStateException(kind, e);
        }
    }

    String judge() {
        long[] found = found(new HashSet<>(List.of(cases)));
        long score = 0;
        for (int n = first; n < first + cases.length; n++) score += score(points(n));
        boolean ok = found[0] == cases.length && found[1] == 8L * cases.length && found[2] == score;
        return "{\"ok\": " + ok + ", \"double\": " + Math.max(0, found[1] - 8L * cases.length) + ", \"events\": " + found[1] + ", \"score\": " + found[2]
            + ", \"over\": " + found[0] + "}";
    }

    String timelines() {
        Map<String, List<Double>> taken = new HashMap<>();
        for (String id : cases) time(taken, "timeline", () -> "" + timeline(id));
        return "{\"lat_ms\": {\"timeline\": " + spread(taken.get("timeline")) + "}, \"rows\": "
            + timeline(cases[0]) + "}";
    }

    static int points(int number) { return (int) (number * 37L % 101); }

    static int score(int points) { return points >= 90 ? 5 : points >= 80 ? 4 : points >= 70 ? 3 : points >= 60 ? 2 : 1; }

    /** Pages as one JSON document each, of the length and nature of ours. */
    static String[] pages(int payload) {
        Random chance = new Random(1);
        String[] pages = new String[POOL];
        for (int p = 0; p < POOL; p++) {
            StringJoiner page = new StringJoiner(",", "{", "}");
            for (int f = 1; f <= FIELDS && payload > 0; f++) {
                StringBuilder text = new StringBuilder();
                while (text.length() < payload * 9 / (10 * FIELDS))
                    text.append(LETTERS.charAt(chance.nextInt(LETTERS.length())));
                page.add(String.format("\"f%02d\":\"%s\"", f, text));
            }
            pages[p] = page.toString();
        }
        return pages;
    }

    static String spread(List<Double> taken) {
        if (taken.isEmpty()) return "{}";
        Collections.sort(taken);
        StringJoiner told = new StringJoiner(", ", "{", "}");
        Map<String, Double> ranks = new LinkedHashMap<>();
        ranks.put("p50", 0.5); ranks.put("p95", 0.95); ranks.put("p99", 0.99);
        ranks.put("p999", 0.999); ranks.put("max", 1.0);
        ranks.forEach((name, part) -> told.add(String.format(Locale.ROOT, "\"%s\": %.3f", name,
            taken.get((int) Math.ceil(part * taken.size()) - 1))));
        return told.toString();
    }
}
