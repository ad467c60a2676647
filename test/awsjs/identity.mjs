// A program as anybody would write it: the SDK's default chain, STS, one line of JSON. With the argument "version" it says which
// SDK it has.
import { readFileSync } from "node:fs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

if (process.argv[2] === "version") {
	console.log(JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies["@aws-sdk/client-sts"]);
} else {
	const { Account, Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
	console.log(JSON.stringify({ Account, Arn }));
}
