<?php
// Enqueues the job on standard input with the extension phpredis, and prints what became of it.
declare(strict_types=1);

/** ['id' => …, 'state' => …, 'created' => …], and 'faults' where it was refused; null where no worker answers. */
function enqueue(Redis $redis, string $job): ?array
{
    $entry = $redis->xAdd('invitations:inbox', '*', ['job' => $job, 'answer' => 'yes']);
    $found = $redis->blPop(["invitations:answer:$entry"], 30);
    return $found ? json_decode($found[1], true, 512, JSON_THROW_ON_ERROR) : null;
}

$url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379/0');
$redis = new Redis();
$host = ($url['scheme'] ?? '') === 'rediss' ? "tls://{$url['host']}" : $url['host'];
$redis->connect($host, $url['port'] ?? 6379, 5.0, null, 0, 60.0);
if (isset($url['pass'])) {
    $redis->auth(array_filter([$url['user'] ?? null, urldecode($url['pass'])]));
}
$redis->select((int) ltrim($url['path'] ?? '', '/'));

$answer = enqueue($redis, stream_get_contents(STDIN));
if ($answer === null) {
    fwrite(STDERR, "no worker answered in 30 s; the job waits for one. To send it again doubles nothing.\n");
    exit(1);
}
if ($answer['state'] === 'refused') {
    foreach ($answer['faults'] as ['field' => $field, 'problem' => $problem]) {
        fwrite(STDERR, "$field: $problem\n");
    }
    exit(1);
}
echo $answer['id'], ' ', $answer['state'], "\n";
