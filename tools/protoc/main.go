// Command protoc writes the Go code of the plugin's .proto file: it compiles the file, gives it to protoc-gen-go and
// protoc-gen-go-grpc, and writes what they answer. It is what `make generate` runs.
//
// It needs nothing but Go: the compiler is a library, and this folder's go.mod pins it and both generators, so that the same
// file gives the same bytes everywhere. With -check it writes nothing and fails where a file on disk is another one.
//
//	protoc [-check] FOLDER FILE.proto
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail where a file is not what would be written")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: protoc [-check] FOLDER FILE.proto")
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Arg(0), flag.Arg(1), *check); err != nil {
		fmt.Fprintln(os.Stderr, "protoc:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder, file string, check bool) error {
	request, err := compile(ctx, folder, file)
	if err != nil {
		return err
	}
	for _, generator := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		files, err := generate(ctx, generator, request)
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := place(filepath.Join(folder, f.GetName()), []byte(f.GetContent()), check); err != nil {
				return err
			}
		}
	}
	return nil
}

// compile gives the generators' input: the file and all that it imports, imports first, with comments.
func compile(ctx context.Context, folder, file string) ([]byte, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{folder}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(ctx, file)
	if err != nil {
		return nil, err
	}
	parameter := "paths=source_relative"
	return proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{file},
		Parameter:      &parameter,
		ProtoFile:      withImports(compiled[0], map[string]bool{}),
	})
}

func withImports(f linker.File, seen map[string]bool) (all []*descriptorpb.FileDescriptorProto) {
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		path := f.Imports().Get(i).Path()
		if !seen[path] {
			all = append(all, withImports(f.FindImportByPath(path), seen)...)
		}
	}
	return append(all, protoutil.ProtoFromFileDescriptor(protoreflect.FileDescriptor(f)))
}

// generate runs a generator of this folder's go.mod.
func generate(ctx context.Context, generator string, request []byte) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", generator)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", generator, err)
	}
	var answer pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", generator, err)
	}
	if answer.Error != nil {
		return nil, errors.New(generator + ": " + answer.GetError())
	}
	return answer.File, nil
}

func place(name string, content []byte, check bool) error {
	if !check {
		return os.WriteFile(name, content, 0o644)
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !bytes.Equal(kept, content) {
		return errors.New(name + " is not what its .proto file gives; run: make generate")
	}
	return nil
}
