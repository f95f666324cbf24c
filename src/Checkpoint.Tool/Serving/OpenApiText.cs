using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the OpenAPI document says beside the endpoints: title, and how the token is shown.</summary>
internal static class OpenApiText
{
    private const string Scheme = "token";

    /// <summary>Adds it to the generator.</summary>
    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer(
            (document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "apollo-checkpoint engine",
                    Version = "1",
                    Description = "Brings the live weights of a running vLLM back into the model's own safetensors files. docs/serve.md",
                };
                document.Servers = [];
                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
                document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "What stands in the token's file; not needed on a Unix socket, nor with --open",
                };
                return Task.CompletedTask;
            }
        );
        options.AddOperationTransformer(
            (operation, context, _) =>
            {
                if (context.Description.HttpMethod == "POST")
                {
                    operation.Security =
                    [
                        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [] },
                    ];
                }

                return Task.CompletedTask;
            }
        );
    }
}
