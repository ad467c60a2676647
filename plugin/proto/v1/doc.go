// Package v1 is the generated code of cognito_credhelper.proto, version 1 of the plugin's wire. Package plugin is the only importer: it
// has types of its own, which do not change with a generator.
package v1

//go:generate go -C ../../../tools/protoc run . ../.. plugin/proto/v1/cognito_credhelper.proto
