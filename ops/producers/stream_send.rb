# Enqueues the job on standard input with the gem redis, and prints what became of it.
require "json"
require "redis"

# {"id", "state", "created"}, and "faults" where it was refused; nil where no worker answers.
def enqueue(redis, job)
  entry = redis.xadd("invitations:inbox", { job: job, answer: "yes" })
  found = redis.blpop("invitations:answer:#{entry}", timeout: 30)
  found && JSON.parse(found[1])
end

answer = enqueue(Redis.new(url: ENV.fetch("REDIS_URL", "redis://127.0.0.1:6379/0")), $stdin.read)
abort "no worker answered in 30 s; the job waits for one. To send it again doubles nothing." unless answer
if answer["state"] == "refused"
  abort answer["faults"].map { |fault| "#{fault["field"]}: #{fault["problem"]}" }.join("\n")
end
puts "#{answer["id"]} #{answer["state"]}"
